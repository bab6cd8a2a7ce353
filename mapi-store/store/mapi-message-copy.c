/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying what messages have beside properties. */

#include "lib.h"
#include "mapi-message-edit.h"
#include "mapi-message-private.h"
#include "mapi-object-copy.h"

/* UTF-8 */
#define CODE_PAGE_UTF8 65001

static struct mapi_message *copy_message(struct mapi_object *obj)
{
	i_assert(obj->type == MAPI_OBJECT_MESSAGE);
	return (struct mapi_message *)obj;
}

static struct mapi_attachment *copy_attachment(struct mapi_object *obj)
{
	i_assert(obj->type == MAPI_OBJECT_ATTACHMENT);
	return (struct mapi_attachment *)obj;
}

bool mapi_message_contains(struct mapi_object *outer, struct mapi_object *inner)
{
	const struct mapi_message_content *content =
		copy_message(inner)->priv->content;

	while (content->draft != NULL) {
		content = content->draft->content;
		if (content == copy_message(outer)->priv->content)
			return TRUE;
	}
	return FALSE;
}

/* --- recipients ----------------------------------------------------------- */

enum mapi_error mapi_message_copy_recipients(const struct mapi_copy *copy)
{
	struct mapi_message *source = copy_message(copy->source);
	struct mapi_message *dest = copy_message(copy->dest);
	struct mapi_recipient_change *changes;
	const struct mapi_recipient_row *rows;
	struct mapi_property_row *columns;
	unsigned int i, count;
	enum mapi_error error;

	if (copy->no_overwrite) {
		error = mapi_message_recipients(dest, &rows, &count);
		if (error != EC_NONE || count > 0)
			return error;
	}
	error = mapi_message_recipients(source, &rows, &count);
	if (error == EC_NONE)
		error = mapi_message_remove_recipients(dest);
	if (error != EC_NONE)
		return error;
	changes = talloc_zero_array(NULL, struct mapi_recipient_change, count);
	for (i = 0; i < count && error == EC_NONE; i++) {
		changes[i].row = rows[i];
		changes[i].has_row = TRUE;
		columns = &changes[i].row.properties;
		error = mapi_copy_dest_tags(copy, changes, columns->columns,
					    columns->count, &columns->columns);
	}
	if (error == EC_NONE) {
		error = mapi_message_modify_recipients(dest, changes, count,
						       CODE_PAGE_UTF8);
	}
	talloc_free(changes);
	if (error == EC_NONE && copy->move)
		error = mapi_message_remove_recipients(source);
	return error;
}

/* --- attachments ---------------------------------------------------------- */

static enum mapi_error copy_remove_attachments(struct mapi_message *msg)
{
	enum mapi_error error;
	unsigned int count;

	error = mapi_message_attachment_count(msg, &count);
	while (error == EC_NONE && count-- > 0) {
		error = mapi_message_delete_attachment(msg,
				mapi_message_attachment_num(msg, count));
	}
	return error;
}

/* All of source to a new object */
static enum mapi_error
copy_all(struct mapi_object *source, struct mapi_object *dest)
{
	const struct mapi_copy copy = { .source = source, .dest = dest };
	struct mapi_copy_problem *problems;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;
	unsigned int count;

	error = mapi_object_copy_to(&copy, mem, NULL, 0, TRUE, &problems,
				    &count);
	/* a part of it would be no copy */
	if (error == EC_NONE && count > 0)
		error = problems[0].error;
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_attachment_copy_embedded(const struct mapi_copy *copy, bool *copied_r)
{
	struct mapi_attachment *source = copy_attachment(copy->source);
	struct mapi_attachment *dest = copy_attachment(copy->dest);
	struct mapi_message *source_msg, *dest_msg;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;

	*copied_r = FALSE;
	error = mapi_attachment_open_embedded(mem, source, &source_msg);
	if (error != EC_NONE) {
		talloc_free(mem);
		/* other objects are values */
		return error == EC_NOT_FOUND || error == EC_NOT_SUPPORTED ?
			EC_NONE : error;
	}
	error = mapi_attachment_create_embedded(mem, dest, &dest_msg);
	if (error == EC_NONE)
		error = copy_all(&source_msg->obj, &dest_msg->obj);
	if (error == EC_NONE)
		error = mapi_message_save(dest_msg, FALSE);
	*copied_r = TRUE;
	talloc_free(mem);
	return error;
}

static enum mapi_error
copy_one_attachment(struct mapi_message *source, struct mapi_message *dest,
		    uint32_t num)
{
	struct mapi_attachment *source_attach, *dest_attach;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;

	error = mapi_attachment_open(mem, source, num, &source_attach);
	if (error == EC_NONE)
		error = mapi_attachment_create(mem, dest, &dest_attach);
	if (error == EC_NONE)
		error = copy_all(&source_attach->obj, &dest_attach->obj);
	if (error == EC_NONE)
		error = mapi_attachment_save(dest_attach);
	talloc_free(mem);
	return error;
}

enum mapi_error mapi_message_copy_attachments(const struct mapi_copy *copy)
{
	struct mapi_message *source = copy_message(copy->source);
	struct mapi_message *dest = copy_message(copy->dest);
	enum mapi_error error;
	unsigned int i, count;

	if (copy->no_overwrite) {
		error = mapi_message_attachment_count(dest, &count);
		if (error != EC_NONE || count > 0)
			return error;
	}
	error = copy_remove_attachments(dest);
	if (error == EC_NONE)
		error = mapi_message_attachment_count(source, &count);
	for (i = 0; error == EC_NONE && i < count; i++) {
		error = copy_one_attachment(source, dest,
				mapi_message_attachment_num(source, i));
	}
	if (error == EC_NONE && copy->move)
		error = copy_remove_attachments(source);
	return error;
}
