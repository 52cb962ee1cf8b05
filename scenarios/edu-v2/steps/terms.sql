-- Terms are in no table of the legacy database that anybody trusts: they are made new. Their keys follow from year and season as
-- other keys do from theirs (version 5 in the space of academic_terms), so that offerings find them.
INSERT INTO academic_terms (id, academic_year, term_type, starts_on, ends_on, is_current) VALUES
    ('09a798e8-d0b8-5c9f-a431-96d11fff0caf', '2020/2021', 'fall', '2020-09-15', '2021-01-20', false),
    ('63217adc-490c-565a-bc70-f7a8b207f804', '2020/2021', 'spring', '2021-02-10', '2021-06-20', false),
    ('50dc28fc-ffbe-55a7-bcd0-334a9a550b16', '2021/2022', 'fall', '2021-09-15', '2022-01-20', false),
    ('ad856ebe-5dda-5ffd-a73b-b19ae46f6c6f', '2021/2022', 'spring', '2022-02-10', '2022-06-20', false),
    ('b5fcbdde-0dc2-5ad5-bfb6-b559ccfb0fad', '2022/2023', 'fall', '2022-09-15', '2023-01-20', false),
    ('8075c7e3-eea4-5716-ae74-2324b32d2ecc', '2022/2023', 'spring', '2023-02-10', '2023-06-20', false),
    ('d6b6f2bf-becf-55da-9312-887e91ffe722', '2023/2024', 'fall', '2023-09-15', '2024-01-20', false),
    ('3bb9d720-251a-5f31-bfbb-342b5d6a2cc3', '2023/2024', 'spring', '2024-02-10', '2024-06-20', false),
    ('8d8ea99d-5872-5b37-bc75-c705d7ff75eb', '2024/2025', 'fall', '2024-09-15', '2025-01-20', false),
    ('33bfc1a9-4f19-5d63-b76f-caf2eee42698', '2024/2025', 'spring', '2025-02-10', '2025-06-20', false),
    ('95d56568-f0ef-594f-a13f-7f6dce3fbffb', '2025/2026', 'fall', '2025-09-15', '2026-01-20', true),
    ('29727f0e-9402-5d00-a60c-a1211d584f64', '2025/2026', 'spring', '2026-02-10', '2026-06-20', false);
