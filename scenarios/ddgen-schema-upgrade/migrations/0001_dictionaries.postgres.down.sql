DROP TABLE fields;
DROP TABLE versions;
DROP TABLE dictionaries;
