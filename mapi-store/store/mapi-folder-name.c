/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of folders.

   Outlook's folders may have names that mailboxes can't have: with the namespace's
   separator or another character that means something to IMAP or to the file system,
   or too long for it. The user gets the folder nevertheless, and under its name: the
   mailbox has a name that is as similar as can be, in which IMAP clients see "-" for
   what they couldn't, and the folder's name is a note in the log "allotments",

     display	<folder number>		<name of the mailbox> TAB <name>

   that holds as long as the mailbox has that name (without its parents'): if it's
   renamed over IMAP, the folder has the new name. Special folders have the names that
   Outlook gives them, whatever the mailbox is called; if a client gives them another
   one, as Outlook does in the user's language, it's noted as

     display	<folder number>		TAB <name> */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "str.h"
#include "unichar.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-folder-list.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-write-private.h"

#include <limits.h>

/* UTF-16 units of a folder name */
#define NAME_MAX_LENGTH 255
/* Bytes of a mailbox's name, at most, that has to be shorter than the folder's: some
   room is left for what will be below it. */
#define SHORT_LEAF_SIZE 60
/* How many mailboxes beside each other can have the same name but for a number */
#define LEAF_MAX_NUMBER 100

enum mapi_error mapi_folder_name_check(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	unsigned int length = 0;
	unichar_t chr;
	int len;

	/* surrogates without a partner aren't valid UTF-8 */
	if (*name == '\0' || !uni_utf8_str_is_valid(name))
		return EC_INVALID_PARAM;
	for (; *p != '\0'; p += len) {
		len = uni_utf8_get_char((const char *)p, &chr);
		i_assert(len > 0);
		length += chr > 0xffff ? 2 : 1;
	}
	return length > NAME_MAX_LENGTH ? EC_INVALID_PARAM : EC_NONE;
}

static buffer_t *name_fold(const char *name)
{
	buffer_t *buf = t_buffer_create(64);

	(void)uni_utf8_to_decomposed_titlecase(name, strlen(name), buf);
	return buf;
}

struct mapi_folder_node *
mapi_folder_find_child(struct mapi_store *store,
		       const struct mapi_folder_node *parent, const char *name,
		       const struct mapi_folder_node *except)
{
	struct mail_namespace *ns = store->companion->ns;
	struct mapi_folder_node *node, *found = NULL;
	buffer_t *fold = name_fold(name);

	for (node = parent->first_child; node != NULL;
	     node = node->next_sibling) T_BEGIN {
		/* special folders have two names */
		const char *leaf = node->path == NULL ||
			node->special == MAPI_SPECIAL_NONE ?
			node->display_name :
			mapi_folder_list_leaf(ns, node->path);

		if (node == except)
			;
		else if (strcmp(node->display_name, name) == 0)
			found = node;
		else if (found == NULL &&
			 (buffer_cmp(name_fold(node->display_name), fold) ||
			  buffer_cmp(name_fold(leaf), fold)))
			found = node;
	} T_END;
	return found;
}

/* Whether a mailbox has that name, whatever the folder is called */
static bool
leaf_is_taken(struct mapi_store *store, const struct mapi_folder_node *parent,
	      const char *leaf, const struct mapi_folder_node *except)
{
	struct mail_namespace *ns = store->companion->ns;
	const struct mapi_folder_node *node;
	buffer_t *fold = name_fold(leaf);
	bool taken = FALSE;

	for (node = parent->first_child; node != NULL && !taken;
	     node = node->next_sibling) T_BEGIN {
		taken = node != except && node->path != NULL &&
			buffer_cmp(name_fold(mapi_folder_list_leaf(ns,
							node->path)), fold);
	} T_END;
	return taken;
}

/* --- names of mailboxes ----------------------------------------------------- */

/* The file system's limits, which lib-storage only knows as errors that no user
   can have caused. */
static enum mapi_error
vname_check_path(struct mapi_store *store, const char *vname)
{
	struct mailbox_list *list = store->companion->ns->list;
	const char *name, *path, *const *parts;

	name = mailbox_list_get_storage_name(list, vname);
	if (mailbox_list_get_path(list, name, MAILBOX_LIST_PATH_TYPE_MAILBOX,
				  &path) <= 0)
		return EC_NONE;
	/* leave some for file names in it */
	if (strlen(path) > PATH_MAX - 512)
		return EC_INVALID_PARAM;
	for (parts = t_strsplit(path, "/"); *parts != NULL; parts++) {
		if (strlen(*parts) > NAME_MAX)
			return EC_INVALID_PARAM;
	}
	return EC_NONE;
}

enum mapi_error
mapi_folder_vname_check(struct mapi_store *store, const char *vname)
{
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;

	box = mailbox_alloc(store->companion->ns->list, vname, 0);
	if (mailbox_verify_create_name(box) < 0)
		ret = mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return ret != EC_NONE ? ret : vname_check_path(store, vname);
}

/* Whether a mailbox can have a character in its name */
static bool leaf_char_is_valid(unichar_t chr, char sep)
{
	return chr >= 0x20 && (chr < 0x7f || chr >= 0xa0) &&
		chr != (unsigned char)sep && chr != 0x2028 && chr != 0x2029 &&
		chr != UNICODE_REPLACEMENT_CHAR;
}

static bool leaf_is_valid(struct mapi_store *store, const char *leaf)
{
	const char sep = mail_namespace_get_sep(store->companion->ns);
	const char *p;
	unichar_t chr;
	int len;

	if (*leaf == '\0' || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0)
		return FALSE;
	for (p = leaf; *p != '\0'; p += len) {
		len = uni_utf8_get_char(p, &chr);
		if (len <= 0 || !leaf_char_is_valid(chr, sep))
			return FALSE;
	}
	return TRUE;
}

const char *mapi_folder_leaf_encode(struct mapi_store *store, const char *name)
{
	const char sep = mail_namespace_get_sep(store->companion->ns);
	string_t *leaf = t_str_new(128);
	const char *p;
	unichar_t chr;
	int len;

	for (p = name; *p != '\0'; p += len) {
		len = uni_utf8_get_char(p, &chr);
		i_assert(len > 0);
		/* what is a separator in some file layouts, or somebody's home
		   folder */
		if (chr == '.' || chr == '/' || (chr == '~' && p == name) ||
		    !leaf_char_is_valid(chr, sep))
			str_append_c(leaf, '-');
		else
			str_append_data(leaf, p, len);
	}
	return str_c(leaf);
}

static enum mapi_error
leaf_to_vname(struct mapi_store *store, const struct mapi_folder_node *parent,
	      const char *leaf, const char **vname_r)
{
	struct mail_namespace *ns = store->companion->ns;
	const char *vname;

	if (parent->special == MAPI_SPECIAL_IPM_SUBTREE)
		vname = t_strconcat(ns->prefix, leaf, NULL);
	else if (parent->path == NULL)
		return EC_ACCESS_DENIED;
	else {
		vname = t_strdup_printf("%s%c%s", parent->path,
					mail_namespace_get_sep(ns), leaf);
	}
	*vname_r = vname;
	if (!leaf_is_valid(store, leaf))
		return EC_INVALID_PARAM;
	/* where listing would find it */
	if (null_strcmp(mapi_folder_list_parent(ns, vname), parent->path) != 0)
		return EC_ACCESS_DENIED;
	if (mail_namespace_find(store->user->namespaces, vname) != ns ||
	    mapi_companion_contains(store->companion, vname, NULL))
		return EC_DUPLICATE_NAME;
	return mapi_folder_vname_check(store, vname);
}

/* Cuts as much from the end of base as is needed for the mailbox to be possible. */
static enum mapi_error
leaf_shorten(struct mapi_store *store, const struct mapi_folder_node *parent,
	     const char *base, const char *suffix, const char **leaf_r,
	     const char **vname_r)
{
	string_t *leaf = t_str_new(128);
	size_t len = strlen(base);
	enum mapi_error ret;

	for (;;) {
		str_truncate(leaf, 0);
		str_append_data(leaf, base, len);
		str_append(leaf, suffix);
		ret = leaf_to_vname(store, parent, str_c(leaf), vname_r);
		if (ret != EC_INVALID_PARAM || len == 0)
			break;
		len = I_MIN(len - 1, SHORT_LEAF_SIZE);
		while (len > 0 && (base[len] & 0xc0) == 0x80)
			len--;
		if (len == 0)
			break;
	}
	*leaf_r = str_c(leaf);
	return ret;
}

enum mapi_error
mapi_folder_child_vname(struct mapi_store *store,
			const struct mapi_folder_node *parent, const char *name,
			const struct mapi_folder_node *except,
			const char **vname_r)
{
	const char *base, *leaf, *suffix = "";
	enum mapi_error ret;
	unsigned int i;

	ret = leaf_to_vname(store, parent, name, vname_r);
	if (ret != EC_NONE && ret != EC_INVALID_PARAM)
		return ret;
	base = ret == EC_NONE ? name : mapi_folder_leaf_encode(store, name);
	for (i = 2; i < LEAF_MAX_NUMBER; i++) {
		ret = leaf_shorten(store, parent, base, suffix, &leaf, vname_r);
		if (ret != EC_NONE && ret != EC_DUPLICATE_NAME)
			return ret;
		if (ret == EC_NONE &&
		    !leaf_is_taken(store, parent, leaf, except))
			return EC_NONE;
		suffix = t_strdup_printf(" (%u)", i);
	}
	return EC_DUPLICATE_NAME;
}

/* --- what folders are called -------------------------------------------------- */

const char *
mapi_folder_display_value(struct mapi_store *store, const char *vname,
			  const char *name)
{
	const char *leaf = mapi_folder_list_leaf(store->companion->ns, vname);

	return strcmp(leaf, name) == 0 ? "" :
		t_strconcat(leaf, "\t", name, NULL);
}

const char *
mapi_folder_display_name(struct mapi_store *store, uint32_t number,
			 const char *leaf)
{
	const struct mapi_idlog_rec *rec;
	size_t len = strlen(leaf);

	rec = mapi_idlog_find(store->log, MAPI_LOG_DISPLAY,
			      t_strdup_printf("%u", number));
	if (rec == NULL || strncmp(rec->value, leaf, len) != 0 ||
	    rec->value[len] != '\t' || rec->value[len + 1] == '\0')
		return NULL;
	return rec->value + len + 1;
}

enum mapi_error
mapi_folder_note_display(struct mapi_store *store, uint32_t number,
			 const char *value)
{
	const char *key = t_strdup_printf("%u", number);

	if (*value == '\0' &&
	    mapi_idlog_find(store->log, MAPI_LOG_DISPLAY, key) == NULL)
		return EC_NONE;
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
				    MAPI_LOG_DISPLAY, key, value, NULL,
				    "name of folder %u", number);
}

enum mapi_error
mapi_folder_rename_special(struct mapi_store *store,
			   const struct mapi_folder_node *node,
			   const char *name)
{
	enum mapi_error ret;

	if (node->parent == NULL ||
	    (mapi_folder_rights(store, node) & RIGHTS_FOLDER_OWNER) == 0)
		return EC_ACCESS_DENIED;
	if (strcmp(node->display_name, name) == 0)
		return EC_NONE;
	ret = mapi_folder_name_check(name);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_find_child(store, node->parent, name, node) != NULL)
		return EC_DUPLICATE_NAME;
	ret = mapi_folder_note_display(store,
		mapi_folder_fid_to_number(node->fid),
		strcmp(name, mapi_special_infos[node->special].
		       display_name) == 0 ? "" :
		t_strconcat("\t", name, NULL));
	return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
}
