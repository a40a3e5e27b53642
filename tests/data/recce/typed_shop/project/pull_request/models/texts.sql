-- Texts that look alike: most labels are edited in what the eye hardly sees.
select *
from (
    values
        ('a1', 'Zürich', 'plain'), ('a2', null, 'empty'), ('a3', '', 'blank'), ('a4', '', 'missing'),
        ('a5', null, 'word'), ('a6', '__null__', 'marker'), ('a7', 'tail', 'blanks at the end'),
        ('a8', 'case', 'capital'), ('a9', 'cafe' || chr(769), 'composed'), ('b1', '🛒 cart', 'pictogram'),
        ('b2', 'it''s "quoted"', 'quotes'), ('b3', 'two lines', 'line break'), ('b4', '日本語', 'wide'),
        ('b5', 'back/slash', 'backslash'), ('b6', '[bold]x[/bold]', 'brackets'), ('b7', 'jinja', 'template'),
        ('b8', 'same', 'twice'), ('b9', 'same', 'Twice'), ('ключ', 'Кириллица', 'key'), ('A1', 'new', 'key in capitals')
) as texts (code, label, note)
