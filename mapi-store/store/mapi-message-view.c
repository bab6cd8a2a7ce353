/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "mail-storage-private.h"
#include "message-part.h"
#include "mapi-message-view.h"

/* --- struct mail as the source of a MIME message --------------------------- */

static void mapi_message_view_init_pool(struct mapi_message_view *view)
{
	if (view->pool == NULL)
		view->pool = pool_alloconly_create("mapi message view", 2048);
}

struct mapi_view_header {
	const char *name, *value;
};

/* Splits what mail_get_header_stream() gives into fields. Values keep their
   folding. */
static void
view_mail_split_headers(struct mapi_message_view *view, char *text)
{
	struct mapi_view_header *line;
	ARRAY(struct mapi_view_header) lines;
	char *p, *next;

	p_array_init(&lines, view->pool, 16);
	for (; *text != '\0'; text = next) {
		for (p = text; (p = strchr(p, '\n')) != NULL; p++) {
			if (p[1] != ' ' && p[1] != '\t')
				break;
		}
		if (p == NULL)
			next = text + strlen(text);
		else {
			next = p + 1;
			if (p > text && p[-1] == '\r')
				p--;
			*p = '\0';
		}
		p = strchr(text, ':');
		if (p == NULL)
			continue;
		*p++ = '\0';
		while (*p == ' ' || *p == '\t')
			p++;
		line = array_append_space(&lines);
		line->name = text;
		line->value = p;
	}
	view->lines = array_get_modifiable(&lines, &view->line_count);
}

static int view_mail_read_headers(struct mapi_message_view *view)
{
	const unsigned char *data;
	struct istream *input;
	size_t size;
	char *text;
	ssize_t ret;

	if (mail_get_header_stream(view->mail, view->wanted_headers,
				   &input) < 0)
		return -1;
	/* it's all in memory */
	i_stream_set_max_buffer_size(input, SIZE_MAX);
	while ((ret = i_stream_read(input)) > 0) ;
	i_assert(ret != 0);
	if (input->stream_errno != 0)
		return -1;
	data = i_stream_get_data(input, &size);
	mapi_message_view_init_pool(view);
	text = p_malloc(view->pool, size + 1);
	if (size > 0)
		memcpy(text, data, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0')
			text[i] = ' ';
	}
	view_mail_split_headers(view, text);
	return 0;
}

static bool
view_mail_wants_header(struct mapi_message_view *view, const char *name)
{
	unsigned int i;

	if (view->wanted_headers == NULL)
		return FALSE;
	for (i = 0; i < view->wanted_headers->count; i++) {
		if (strcasecmp(view->wanted_headers->name[i], name) == 0)
			return TRUE;
	}
	return FALSE;
}

static int
view_mail_get_raw(struct mime_header_source *source, const char *name,
		  const char *const **values_r)
{
	struct mapi_message_view *view =
		container_of(source, struct mapi_message_view, mail_headers);
	ARRAY_TYPE(const_string) values;
	unsigned int i;

	if (!view_mail_wants_header(view, name))
		return mail_get_headers(view->mail, name, values_r);
	if (view->lines == NULL && view_mail_read_headers(view) < 0)
		return -1;
	t_array_init(&values, 4);
	for (i = 0; i < view->line_count; i++) {
		if (strcasecmp(view->lines[i].name, name) == 0)
			array_push_back(&values, &view->lines[i].value);
	}
	i = array_count(&values);
	array_append_zero(&values);
	*values_r = array_front(&values);
	return i > 0 ? 1 : 0;
}

static int
view_mail_get_header(struct mime_header_source *source,
		     struct istream **input_r)
{
	struct mapi_message_view *view =
		container_of(source, struct mapi_message_view, mail_headers);

	if (mail_get_hdr_stream(view->mail, NULL, input_r) < 0)
		return -1;
	i_stream_seek(*input_r, 0);
	return 0;
}

static int
view_mail_get_stream(struct mime_message_source *source,
		     struct istream **input_r)
{
	struct mapi_message_view *view =
		container_of(source, struct mapi_message_view, mail_source);

	return mail_get_stream_because(view->mail, NULL, NULL, "mapi",
				       input_r);
}

static int
view_mail_get_parts(struct mime_message_source *source,
		    const struct message_part **root_r)
{
	struct mapi_message_view *view =
		container_of(source, struct mapi_message_view, mail_source);
	struct message_part *parts;
	struct istream *input;
	const char *bodystructure;

	mapi_message_view_init_pool(view);
	/* Both are in the cache, at least after the first time. Otherwise the
	   order saves parsing the message twice. */
	if (mail_get_special(view->mail, MAIL_FETCH_IMAP_BODYSTRUCTURE,
			     &bodystructure) < 0 ||
	    mail_get_parts(view->mail, &parts) < 0)
		return -1;
	if (mime_parts_from_bodystructure(view->pool, bodystructure,
					  parts) == 0) {
		*root_r = parts;
		return 0;
	}
	if (view_mail_get_stream(source, &input) < 0)
		return -1;
	i_stream_seek(input, 0);
	if (mime_parts_parse(view->pool, input, &parts) < 0)
		return -1;
	*root_r = parts;
	return 0;
}

static void view_mail_set_received(struct mapi_message_view *view)
{
	time_t received;

	/* needed where Date is missing only, but it's in the index or cache */
	if (mail_get_received_date(view->mail, &received) < 0)
		received = 0;
	view->mail_headers.received = received;
}

/* --- view ------------------------------------------------------------------ */

static int mapi_message_view_destructor(struct mapi_message_view *view)
{
	pool_unref(&view->pool);
	return 0;
}

struct mapi_message_view *
mapi_message_view_create(TALLOC_CTX *parent, struct mapi_folder *folder,
			 bool associated)
{
	struct mapi_message_view *view;

	view = talloc_zero(parent, struct mapi_message_view);
	view->store = folder->obj.store;
	view->folder = folder;
	view->associated = associated;
	view->has_attachments = -1;
	view->want_received = TRUE;
	view->mail_headers.get_raw = view_mail_get_raw;
	view->mail_headers.get_header = view_mail_get_header;
	view->mail_source.get_parts = view_mail_get_parts;
	view->mail_source.get_stream = view_mail_get_stream;
	talloc_set_destructor(view, mapi_message_view_destructor);
	return view;
}

void mapi_message_view_set_mail(struct mapi_message_view *view,
				struct mail *mail)
{
	i_assert(view->folder != NULL);

	TALLOC_FREE(view->mime);
	TALLOC_FREE(view->text_headers);
	if (view->pool != NULL)
		p_clear(view->pool);
	view->mail = mail;
	view->has_attachments = -1;
	view->lines = NULL;
	view->line_count = 0;
	if (view->want_received)
		view_mail_set_received(view);
}

enum mapi_error
mapi_message_view_create_embedded(TALLOC_CTX *parent,
				  struct mapi_message_view *outer,
				  const struct mime_attachment *attachment,
				  struct mapi_message_view **view_r)
{
	struct mapi_message_view *view;

	view = talloc_zero(parent, struct mapi_message_view);
	view->store = outer->store;
	view->outer = outer;
	view->has_attachments = -1;
	view->attachment = attachment;
	/* it has one: the attachment is from there */
	i_assert(outer->mime != NULL);
	view->mime = mime_message_init_embedded(view, outer->mime, attachment);
	if (view->mime == NULL) {
		talloc_free(view);
		return mapi_message_view_error(outer);
	}
	*view_r = view;
	return EC_NONE;
}

struct mapi_message_view *
mapi_message_view_create_new(TALLOC_CTX *parent, struct mapi_store *store,
			     struct mapi_folder *folder, bool associated)
{
	struct mapi_message_view *view;

	view = talloc_zero(parent, struct mapi_message_view);
	view->store = store;
	view->folder = folder;
	view->associated = associated;
	view->has_attachments = -1;
	return view;
}

struct mapi_message_view *
mapi_message_view_create_stream(TALLOC_CTX *parent, struct mapi_store *store,
				struct mapi_folder *folder, bool associated,
				struct istream *input)
{
	struct mapi_message_view *view;

	view = mapi_message_view_create_new(parent, store, folder, associated);
	i_stream_seek(input, 0);
	view->text_headers = mime_header_source_init(view, input, 0);
	view->mime = mime_message_init_stream(view, input, 0);
	if (view->text_headers == NULL || view->mime == NULL)
		TALLOC_FREE(view);
	return view;
}

static struct mime_header_source *
mapi_message_view_read_headers(struct mapi_message_view *view)
{
	struct istream *input;

	if (view->mail == NULL) {
		if (mime_message_open_attachment(view->outer->mime,
						 view->attachment, &input) < 0)
			return NULL;
		view->text_headers = mime_header_source_init(view, input, 0);
		i_stream_unref(&input);
		return view->text_headers;
	}
	if (view_mail_get_header(&view->mail_headers, &input) < 0)
		return NULL;
	view->text_headers = mime_header_source_init(view, input, 0);
	if (view->text_headers != NULL)
		view->text_headers->received = view->mail_headers.received;
	return view->text_headers;
}

struct mime_header_source *
mapi_message_view_headers(struct mapi_message_view *view)
{
	if (view->text_headers != NULL)
		return view->text_headers;
	if (view->mail != NULL && !view->headers_from_text)
		return &view->mail_headers;
	return mapi_message_view_read_headers(view);
}

struct mime_message *mapi_message_view_mime(struct mapi_message_view *view)
{
	if (view->mime == NULL) {
		view->mail_source.headers = mapi_message_view_headers(view);
		if (view->mail_source.headers == NULL)
			return NULL;
		view->mime = mime_message_init(view, &view->mail_source);
	}
	return view->mime;
}

const struct mime_structure *
mapi_message_view_structure(struct mapi_message_view *view)
{
	struct mime_message *mime = mapi_message_view_mime(view);

	return mime == NULL ? NULL : mime_message_get_structure(mime);
}

enum mapi_error
mapi_message_view_has_attachments(struct mapi_message_view *view, bool *has_r)
{
	const struct mime_structure *structure;
	const char *bodystructure;

	if (view->has_attachments == -1 && view->mail != NULL) {
		if (mail_get_special(view->mail, MAIL_FETCH_IMAP_BODYSTRUCTURE,
				     &bodystructure) < 0)
			return mapi_message_view_error(view);
		view->has_attachments =
			mime_bodystructure_has_attachments(bodystructure);
	}
	if (view->has_attachments == -1) {
		structure = mapi_message_view_structure(view);
		if (structure == NULL)
			return mapi_message_view_error(view);
		view->has_attachments =
			mime_structure_has_attachments(structure) ? 1 : 0;
	}
	*has_r = view->has_attachments > 0;
	return EC_NONE;
}

enum mapi_error
mapi_message_view_size(struct mapi_message_view *view, uint64_t *size_r)
{
	const struct mime_structure *structure;
	uoff_t size;

	if (view->mail == NULL) {
		structure = mapi_message_view_structure(view);
		if (structure == NULL)
			return mapi_message_view_error(view);
		*size_r = structure->root->header_size.virtual_size +
			structure->root->body_size.virtual_size;
		return EC_NONE;
	}
	if (mail_get_virtual_size(view->mail, &size) < 0)
		return mapi_message_view_error(view);
	*size_r = size;
	return EC_NONE;
}

enum mapi_error mapi_message_view_error(struct mapi_message_view *view)
{
	/* an embedded message fails when the text that it is in does */
	while (view->outer != NULL)
		view = view->outer;
	if (view->mail == NULL)
		return EC_ERROR;
	if (view->mail->expunged)
		return EC_OBJECT_DELETED;
	return mapi_error_from_mailbox(view->mail->box);
}
