DROP TABLE attachments;
DROP TABLE comments;
