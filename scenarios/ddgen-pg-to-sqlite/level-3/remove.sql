DROP TABLE staged_annotations;
DROP TABLE staged_fields;
DROP TABLE staged_versions;
DROP TABLE staged_dictionaries;
