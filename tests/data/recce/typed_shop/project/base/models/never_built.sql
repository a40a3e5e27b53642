-- In the manifest, but left out of the build.
select 1 as row_id, 'nowhere' as word
