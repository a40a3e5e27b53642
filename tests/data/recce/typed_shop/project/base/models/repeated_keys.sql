-- What should be a key occurs twice.
select * from (values (1, 'one'), (2, 'two'), (2, 'two again'), (3, 'three'), (4, 'four')) as rows_ (row_id, word)
