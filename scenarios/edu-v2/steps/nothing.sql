-- The way back of what changes nothing.
SELECT 1;
