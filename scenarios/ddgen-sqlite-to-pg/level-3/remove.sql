DROP TABLE staged_dictionaries;
DROP TABLE staged_versions;
DROP TABLE staged_fields;
DROP TABLE staged_annotations;
