/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-folders.h"
#include "mapi-props.h"

#include <string.h>
#include <strings.h>

#define HIERARCHY_DEPTH		0x04
/* as many as Outlook asks for at once */
#define HIERARCHY_ROWS		4096

const char *const folder_roles[13] = {
	"Root", "Deferred Action", "Spooler Queue", "IPM Subtree", "Inbox",
	"Outbox", "Sent Items", "Deleted Items", "Common Views", "Schedule",
	"Search", "Views", "Shortcuts",
};

static const uint32_t hierarchy_columns[] = {
	PIDTAG_FOLDER_ID, PIDTAG_PARENT_FOLDER_ID, PIDTAG_DISPLAY_NAME,
	PIDTAG_CONTAINER_CLASS, PIDTAG_CONTENT_COUNT,
	PIDTAG_CONTENT_UNREAD_COUNT, PIDTAG_SUBFOLDERS,
	PIDTAG_ATTRIBUTE_HIDDEN, PIDTAG_DEPTH,
};

mapi_id_t client_row_id(const struct mapi_property_row *row, uint32_t tag)
{
	return mapi_id_from_i64(client_row_number(row, tag));
}

static const char *folder_role(const struct client_logon *logon, mapi_id_t id)
{
	unsigned int i;

	for (i = 0; i < 13; i++) {
		if (logon->folder_ids[i] == id)
			return folder_roles[i];
	}
	return NULL;
}

static void
tree_folder_take(const struct client_logon *logon,
		 const struct mapi_property_row *row,
		 struct tree_folder *folder)
{
	folder->id = client_row_id(row, PIDTAG_FOLDER_ID);
	folder->parent = client_row_id(row, PIDTAG_PARENT_FOLDER_ID);
	folder->depth = client_row_number(row, PIDTAG_DEPTH);
	folder->name = client_row_string(row, PIDTAG_DISPLAY_NAME);
	folder->container_class =
		client_row_string(row, PIDTAG_CONTAINER_CLASS);
	folder->count = client_row_number(row, PIDTAG_CONTENT_COUNT);
	folder->unread = client_row_number(row, PIDTAG_CONTENT_UNREAD_COUNT);
	folder->subfolders = client_row_number(row, PIDTAG_SUBFOLDERS) != 0;
	folder->hidden = client_row_number(row, PIDTAG_ATTRIBUTE_HIDDEN) != 0;
	folder->role = folder_role(logon, folder->id);
}

static int
tree_read_rows(const struct client_logon *logon, TALLOC_CTX *mem,
	       struct client_table *table, struct client_rows *rows,
	       struct folder_tree *tree, struct client_error *error_r)
{
	unsigned int i;

	while (rows->count > 0) {
		tree->folders = talloc_realloc(mem, tree->folders,
			struct tree_folder, tree->count + rows->count);
		for (i = 0; i < rows->count; i++) {
			tree_folder_take(logon, &rows->rows[i],
					 &tree->folders[tree->count++]);
		}
		if (client_table_query(table, table, HIERARCHY_ROWS, rows,
				       error_r) < 0)
			return -1;
	}
	return 0;
}

int folder_tree_read(struct client_logon *logon, TALLOC_CTX *mem,
		     struct folder_tree *tree_r, struct client_error *error_r)
{
	const struct client_table_spec spec = {
		.table_flags = HIERARCHY_DEPTH | TABLE_USE_UNICODE,
		.columns = hierarchy_columns,
		.column_count = sizeof(hierarchy_columns) /
			sizeof(hierarchy_columns[0]),
	};
	struct client_object *root;
	struct client_table *table;
	struct client_rows rows;
	uint32_t numerator, denominator;

	memset(tree_r, 0, sizeof(*tree_r));
	client_error_step(error_r, "open the root folder");
	if (client_folder_open(logon, mem, logon->folder_ids[ROLE_ROOT], &root,
			       error_r) < 0)
		return -1;
	client_error_step(error_r, "list the folders");
	if (client_hierarchy_table_open(root, mem, &spec, HIERARCHY_ROWS,
					&table, &rows, error_r) < 0 ||
	    tree_read_rows(logon, mem, table, &rows, tree_r, error_r) < 0 ||
	    client_table_position(table, &numerator, &denominator,
				  error_r) < 0)
		return -1;
	if (tree_r->count != table->row_count || tree_r->count != denominator) {
		client_http_violation(logon->obj.session->http,
			"hierarchy table: RowCount is %u, RopQueryPosition "
			"says %u, but %u rows came", table->row_count,
			denominator, tree_r->count);
	}
	/* not the table: the folders' names are on it */
	talloc_free(root);
	return 0;
}

static bool
folder_matches(const struct folder_tree *tree, const struct tree_folder *folder,
	       const char *path)
{
	const char *last = strrchr(path, '/');
	unsigned int i;
	char *parent;
	bool match;

	if (folder->role != NULL && strcasecmp(folder->role, path) == 0)
		return true;
	if (folder->name == NULL ||
	    strcasecmp(folder->name, last == NULL ? path : last + 1) != 0)
		return false;
	if (last == NULL)
		return true;
	parent = talloc_strndup(NULL, path, last - path);
	match = false;
	for (i = 0; i < tree->count && !match; i++) {
		if (tree->folders[i].id == folder->parent) {
			match = folder_matches(tree, &tree->folders[i],
					       parent);
		}
	}
	talloc_free(parent);
	return match;
}

const struct tree_folder *
folder_tree_find(const struct folder_tree *tree, const char *path)
{
	unsigned int i;

	for (i = 0; i < tree->count; i++) {
		if (folder_matches(tree, &tree->folders[i], path))
			return &tree->folders[i];
	}
	return NULL;
}

int folder_open_by_name(struct client_logon *logon, TALLOC_CTX *mem,
			const char *path, const struct tree_folder **folder_r,
			struct client_object **obj_r,
			struct client_error *error_r)
{
	struct folder_tree tree;

	if (folder_tree_read(logon, mem, &tree, error_r) < 0)
		return -1;
	client_error_step(error_r, "open folder %s", path);
	*folder_r = folder_tree_find(&tree, path);
	if (*folder_r == NULL) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
			"there is no such folder among the %u", tree.count);
	}
	return client_folder_open(logon, mem, (*folder_r)->id, obj_r, error_r);
}
