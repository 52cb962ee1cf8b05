-- What people wrote is left to the way back of the import.
SELECT 1;
