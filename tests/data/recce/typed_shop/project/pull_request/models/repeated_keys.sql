-- What should be a key occurs twice, elsewhere than before.
select * from (values (1, 'one'), (2, 'two'), (3, 'three'), (3, 'three'), (5, 'five')) as rows_ (row_id, word)
