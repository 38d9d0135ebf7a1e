-- The words of fragments, for search.query. Writing them takes longer than writing the row, so a
-- search does it (store_search.c). `fragments_to_index` has the ids of the rows that were written
-- since then.

CREATE VIRTUAL TABLE fragments_text USING fts5(
	title,
	message,
	tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TABLE fragments_to_index (
	id INTEGER PRIMARY KEY
);

INSERT INTO fragments_to_index SELECT id FROM fragments;

CREATE TRIGGER fragments_to_index_insert AFTER INSERT ON fragments BEGIN
	INSERT OR IGNORE INTO fragments_to_index VALUES (new.id);
END;

CREATE TRIGGER fragments_to_index_delete AFTER DELETE ON fragments BEGIN
	INSERT OR IGNORE INTO fragments_to_index VALUES (old.id);
END;

CREATE TRIGGER fragments_to_index_update AFTER UPDATE OF title, message ON fragments BEGIN
	INSERT OR IGNORE INTO fragments_to_index VALUES (new.id);
END;
