DELETE FROM users WHERE username = 'admin';
DELETE FROM roles WHERE name IN ('Author', 'Reviewer', 'Approver', 'DMS_Admin');
