-- Texts that look alike, look like nothing, or look like something else.
select *
from (
    values
        ('a1', 'Zürich', 'plain'), ('a2', '', 'empty'), ('a3', ' ', 'blank'), ('a4', null, 'missing'),
        ('a5', 'null', 'word'), ('a6', '__null__', 'marker'), ('a7', 'tail  ', 'blanks at the end'),
        ('a8', 'Case', 'capital'), ('a9', 'café', 'composed'), ('b1', '🛒 cart', 'pictogram'),
        ('b2', 'it''s "quoted"', 'quotes'), ('b3', 'two
lines', 'line break'), ('b4', '日本語', 'wide'), ('b5', 'back\slash', 'backslash'), ('b6', '[bold]x[/bold]', 'brackets'),
        ('b7', '{{ "{{ jinja }}" }}', 'template'), ('b8', 'same', 'twice'), ('b9', 'same', 'twice'), ('ключ', 'кириллица', 'key'),
        ('c1', 'gone', 'only here')
) as texts (code, label, note)
