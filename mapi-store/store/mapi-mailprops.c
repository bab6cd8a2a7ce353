/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "mail-storage.h"
#include "unichar.h"
#include "mapi-bags.h"
#include "mapi-mailprops-flags.h"
#include "mapi-mailprops-private.h"
#include "mapi-prop-class.h"

enum mailprops_source {
	/* messages don't have it */
	MAILPROPS_NONE = 0,
	/* prop */
	MAILPROPS_INDEX,
	/* mime_message_get_prop() */
	MAILPROPS_MIME,
	/* mime_headers_get_named() */
	MAILPROPS_MIME_NAMED,
};

struct mapi_mailprops_column {
	uint32_t tag;
	enum mailprops_source source;
	const struct mapi_mailprop *prop;
	struct mapi_property_name name;
};

struct mapi_mailprops {
	struct mapi_message_view *view;
	struct mapi_mailprops_column *columns;
	unsigned int count;
	struct mailbox_header_lookup_ctx *headers;
	unsigned int fetch;
	/* NULL if no column may be in a bag */
	struct mapi_bags *bags;
};

/* --- finding properties ---------------------------------------------------- */

static const struct mapi_mailprop *const mailprop_tables[] = {
	mapi_mailprops_index,
	mapi_mailprops_owner,
	mapi_mailprops_directory,
	mapi_mailprops_modified,
};

static const struct mapi_mailprop *mailprop_find_tag(uint32_t tag)
{
	const struct mapi_mailprop *prop, *other = NULL;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(mailprop_tables); i++) {
		for (prop = mailprop_tables[i]; prop->get != NULL; prop++) {
			if (prop->set != NULL)
				continue;
			if (prop->tag == tag)
				return prop;
			if (other == NULL &&
			    MAPI_TAG_ID(prop->tag) == MAPI_TAG_ID(tag))
				other = prop;
		}
	}
	return other;
}

static bool
mailprop_is_named(const struct mapi_mailprop *prop,
		  const struct mapi_property_name *name)
{
	if (prop->set == NULL ||
	    memcmp(prop->set, &name->guid, sizeof(name->guid)) != 0)
		return FALSE;
	if (prop->name == NULL)
		return name->kind == MAPI_NAME_LID && name->lid == prop->lid;
	return name->kind == MAPI_NAME_STRING &&
		strcmp(name->name, prop->name) == 0;
}

static const struct mapi_mailprop *
mailprop_find_name(const struct mapi_property_name *name)
{
	const struct mapi_mailprop *prop;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(mailprop_tables); i++) {
		for (prop = mailprop_tables[i]; prop->get != NULL; prop++) {
			if (mailprop_is_named(prop, name))
				return prop;
		}
	}
	return NULL;
}

static void
mailprops_column_init(TALLOC_CTX *mem, struct mapi_store *store,
		      uint32_t tag, struct mapi_mailprops_column *column_r)
{
	uint16_t id = MAPI_TAG_ID(tag);

	i_zero(column_r);
	column_r->tag = tag;
	if (!MAPI_TAG_IS_NAMED(tag)) {
		column_r->prop = mailprop_find_tag(tag);
		column_r->source = column_r->prop != NULL ?
			MAILPROPS_INDEX : MAILPROPS_MIME;
		return;
	}
	if (mapi_store_ids_to_names(store, mem, &id, 1,
				    &column_r->name) != EC_NONE ||
	    column_r->name.kind == MAPI_NAME_NONE)
		return;
	column_r->prop = mailprop_find_name(&column_r->name);
	column_r->source = column_r->prop != NULL ?
		MAILPROPS_INDEX : MAILPROPS_MIME_NAMED;
}

/* --- evaluating ------------------------------------------------------------ */

static enum mapi_error
mailprops_from_mime(struct mapi_message_view *view, enum mime_prop_result ret)
{
	switch (ret) {
	case MIME_PROP_FOUND:
		return EC_NONE;
	case MIME_PROP_NOT_FOUND:
	case MIME_PROP_UNKNOWN:
		return EC_NOT_FOUND;
	case MIME_PROP_NEED_MESSAGE:
		return EC_NOT_ENOUGH_MEMORY;
	case MIME_PROP_FAILED:
		break;
	}
	return mapi_message_view_error(view);
}

static enum mapi_error
mailprops_get_column(struct mapi_message_view *view,
		     const struct mapi_mailprops_column *column,
		     TALLOC_CTX *mem, size_t max_size,
		     struct mapi_value *value_r);

/* What the bag says is only one of the things that it's made of, or not what the
   client has saved. */
static bool
mailprops_is_servers(const struct mapi_message_view *view,
		     const struct mapi_mailprops_column *column)
{
	static const uint32_t tags[] = {
		PIDTAG_LAST_MODIFICATION_TIME, PIDTAG_CREATOR_NAME,
		PIDTAG_CREATOR_ENTRY_ID,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags) && view->mail != NULL; i++) {
		if (MAPI_TAG_ID(column->tag) == MAPI_TAG_ID(tags[i]))
			return TRUE;
	}
	return FALSE;
}

/* PidTagBodyHtml, which has PidTagHtml's id */
static bool mailprops_is_html_str(uint32_t tag)
{
	return tag == PIDTAG_BODY_HTML ||
		tag == MAPI_TAG_AS(PIDTAG_BODY_HTML, PTYP_STRING8);
}

/* What the client or a bag says, or what is made of what a client has changed.
   found_r is FALSE if it's what is stored. */
static enum mapi_error
mailprops_get_changed(struct mapi_message_view *view,
		      const struct mapi_mailprops_column *column,
		      TALLOC_CTX *mem, size_t max_size,
		      struct mapi_value *value_r, bool *found_r)
{
	struct mapi_message_view *changed;
	enum mapi_error error;
	bool stored;

	*found_r = FALSE;
	if (view->overlay != NULL && !mailprops_is_servers(view, column)) {
		error = mapi_overlay_get_value(view->overlay, column->tag, mem,
					       max_size, value_r, found_r);
		if (*found_r && error == EC_NONE &&
		    mailprops_is_html_str(column->tag) &&
		    value_r->type == PTYP_BINARY)
			return mapi_mailprops_html_to_str(view, mem, value_r);
		if (*found_r || error != EC_NONE)
			return error;
	}
	if (view->get_changed == NULL)
		return EC_NONE;
	stored = column->prop != NULL &&
		(column->prop->flags & MAILPROP_STORED) != 0;
	if (mapi_message_prop_class(column->tag,
				    MAPI_TAG_IS_NAMED(column->tag) ?
				    &column->name : NULL) == MAPI_PROP_PLAIN ||
	    stored) {
		/* it's what it was */
		*found_r = view->mail == NULL && view->outer == NULL;
		return *found_r ? EC_NOT_FOUND : EC_NONE;
	}
	*found_r = TRUE;
	changed = view->get_changed(view->changed_context);
	return changed == NULL ? EC_ERROR :
		mailprops_get_column(changed, column, mem, max_size, value_r);
}

static enum mapi_error
mailprops_get_column(struct mapi_message_view *view,
		     const struct mapi_mailprops_column *column,
		     TALLOC_CTX *mem, size_t max_size,
		     struct mapi_value *value_r)
{
	struct mime_header_source *headers;
	struct mime_message *mime;
	enum mime_prop_result ret;
	enum mapi_error error;
	bool found;

	error = mailprops_get_changed(view, column, mem, max_size, value_r,
				      &found);
	if (found || error != EC_NONE)
		return error;
	switch (column->source) {
	case MAILPROPS_NONE:
		return EC_NOT_FOUND;
	case MAILPROPS_INDEX:
		if ((column->prop->flags & MAILPROP_STORED) != 0 &&
		    view->mail == NULL)
			return EC_NOT_FOUND;
		return column->prop->get(view, column->prop, mem, value_r);
	case MAILPROPS_MIME:
		mime = mapi_message_view_mime(view);
		if (mime == NULL)
			return mapi_message_view_error(view);
		ret = mime_message_get_prop(mime, mem, column->tag, max_size,
					    value_r);
		return mailprops_from_mime(view, ret);
	case MAILPROPS_MIME_NAMED:
		headers = mapi_message_view_headers(view);
		if (headers == NULL)
			return mapi_message_view_error(view);
		ret = mime_headers_get_named(headers, mem, &column->name,
					     value_r);
		return mailprops_from_mime(view, ret);
	}
	i_unreached();
}

static enum mapi_error
mailprops_get_cell(struct mapi_message_view *view,
		   const struct mapi_mailprops_column *column,
		   TALLOC_CTX *mem, size_t max_size,
		   struct mapi_value *value_r)
{
	enum mapi_error error;

	T_BEGIN {
		error = mailprops_get_column(view, column, mem, max_size,
					     value_r);
	} T_END;
	if (error != EC_NONE)
		*value_r = mapi_value_error(error);
	/* one property that can't be had leaves the others alone */
	return error == EC_OBJECT_DELETED ? error : EC_NONE;
}

enum mapi_error
mapi_mailprops_eval(struct mapi_message_view *view, TALLOC_CTX *mem,
		    const uint32_t *tags, unsigned int count, size_t max_size,
		    struct mapi_value *values_r)
{
	struct mapi_mailprops_column column;
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < count; i++) {
		mailprops_column_init(mem, view->store, tags[i], &column);
		error = mailprops_get_cell(view, &column, mem, max_size,
					   &values_r[i]);
		if (error != EC_NONE)
			return error;
	}
	return EC_NONE;
}

static enum mapi_error
mailprops_list_tag(struct mapi_message_view *view, TALLOC_CTX *mem,
		   uint32_t tag, uint32_t *tags, unsigned int *count)
{
	struct mapi_value value;
	enum mapi_error error;

	/* bodies say that they are too large, without being made */
	error = mapi_mailprops_eval(view, mem, &tag, 1, 0, &value);
	if (error != EC_NONE)
		return error;
	if (value.type != PTYP_ERROR_CODE)
		tags[(*count)++] = MAPI_TAG_AS(tag, value.type);
	else if (value.u.error == EC_NOT_ENOUGH_MEMORY)
		tags[(*count)++] = tag;
	return EC_NONE;
}

/* The tag of a named property, 0 if the store has no id for it. */
static uint32_t
mailprop_named_tag(struct mapi_store *store, const struct mapi_mailprop *prop)
{
	struct mapi_property_name name = {
		.kind = prop->name != NULL ? MAPI_NAME_STRING : MAPI_NAME_LID,
		.guid = *prop->set,
		.lid = prop->lid,
		.name = prop->name,
	};
	uint16_t id;

	if (mapi_store_names_to_ids(store, &name, 1, FALSE, &id) != EC_NONE ||
	    id == 0)
		return 0;
	return MAPI_TAG(id, prop->tag);
}

/* Fields of the header for which clients have asked by their name. Others exist
   only once somebody has. */
static enum mapi_error
mailprops_want_headers(struct mapi_message_view *view, TALLOC_CTX *mem,
		       ARRAY_TYPE(uint32_t) *wanted)
{
	const struct mapi_property_name *names;
	enum mapi_error error;
	const uint16_t *ids;
	unsigned int i, count;
	uint32_t tag;

	error = mapi_store_names_list(view->store, mem, &PS_INTERNET_HEADERS,
				      &ids, &names, &count);
	for (i = 0; i < count && error == EC_NONE; i++) {
		if (mailprop_find_name(&names[i]) != NULL)
			continue;
		tag = MAPI_TAG(ids[i], PTYP_STRING);
		array_push_back(wanted, &tag);
	}
	return error;
}

static int tag_cmp(const uint32_t *a, const uint32_t *b)
{
	return (int)MAPI_TAG_ID(*a) - (int)MAPI_TAG_ID(*b);
}

/* Adds what else the overlay has. */
static void
mailprops_want_overlay(struct mapi_message_view *view,
		       ARRAY_TYPE(uint32_t) *wanted)
{
	const struct mapi_propset *props;
	unsigned int i, count = array_count(wanted);
	ARRAY_TYPE(uint32_t) sorted;

	if (view->overlay == NULL)
		return;
	props = view->overlay->props;
	i_array_init(&sorted, count);
	array_append_array(&sorted, wanted);
	array_sort(&sorted, tag_cmp);
	for (i = 0; i < props->count; i++) {
		if (array_bsearch(&sorted, &props->props[i].tag,
				  tag_cmp) == NULL)
			array_push_back(wanted, &props->props[i].tag);
	}
	array_free(&sorted);
}

enum mapi_error
mapi_mailprops_list(struct mapi_message_view *view, TALLOC_CTX *mem,
		    const uint32_t **tags_r, unsigned int *count_r)
{
	const struct mapi_mailprop *prop;
	TALLOC_CTX *scratch = talloc_new(mem);
	enum mapi_error error = EC_NONE;
	ARRAY_TYPE(uint32_t) wanted;
	const uint32_t *tagp;
	uint32_t tag, *tags;
	unsigned int i, count = 0;

	i_array_init(&wanted, 128);
	for (i = 0; i < N_ELEMENTS(mailprop_tables); i++) {
		for (prop = mailprop_tables[i]; prop->get != NULL; prop++) {
			if ((prop->flags & MAILPROP_VARIANT) != 0)
				continue;
			tag = prop->set == NULL ? prop->tag :
				mailprop_named_tag(view->store, prop);
			if (tag != 0)
				array_push_back(&wanted, &tag);
		}
	}
	for (i = 0; mime_headers_prop_at(i, &tag); i++) {
		if (mailprop_find_tag(tag) == NULL)
			array_push_back(&wanted, &tag);
	}
	for (i = 0; mime_message_prop_at(i, &tag); i++) {
		if (mailprop_find_tag(tag) == NULL &&
		    !mime_headers_has_prop(tag))
			array_push_back(&wanted, &tag);
	}
	error = mailprops_want_headers(view, scratch, &wanted);
	mailprops_want_overlay(view, &wanted);
	tags = talloc_array(mem, uint32_t, array_count(&wanted));
	array_foreach(&wanted, tagp) {
		if (error != EC_NONE)
			break;
		error = mailprops_list_tag(view, scratch, *tagp, tags, &count);
	}
	array_free(&wanted);
	talloc_free(scratch);
	*tags_r = tags;
	*count_r = count;
	return error;
}

/* --- columns of tables ----------------------------------------------------- */

struct mailprops_wanted {
	ARRAY_TYPE(const_string) names;
};

static void mailprops_want_header(const char *name, void *context)
{
	struct mailprops_wanted *wanted = context;
	const char *const *namep;

	array_foreach(&wanted->names, namep) {
		if (strcasecmp(*namep, name) == 0)
			return;
	}
	array_push_back(&wanted->names, &name);
}

static void
mailprops_want_column(struct mapi_mailprops *props,
		      const struct mapi_mailprops_column *column,
		      struct mailprops_wanted *wanted)
{
	const struct mapi_mailprop *prop = column->prop;
	unsigned int i;

	switch (column->source) {
	case MAILPROPS_NONE:
		break;
	case MAILPROPS_INDEX:
		props->fetch |= prop->fetch;
		for (i = 0; i < N_ELEMENTS(prop->header_tags); i++) {
			if (prop->header_tags[i] == 0)
				break;
			mime_headers_wanted(&prop->header_tags[i], 1,
					    mailprops_want_header, wanted);
		}
		break;
	case MAILPROPS_MIME:
		mime_headers_wanted(&column->tag, 1, mailprops_want_header,
				    wanted);
		/* Not for the class, and not where bags may say it: few messages
		   need their structure for it. Where it's wanted but nobody
		   asks for it, it never gets into the cache, and messages are
		   opened for it each time. */
		if (!mime_headers_has_prop(column->tag) &&
		    (props->bags == NULL || !mapi_bags_exist(props->bags))) {
			props->fetch |= MAIL_FETCH_IMAP_BODYSTRUCTURE |
				MAIL_FETCH_MESSAGE_PARTS;
		}
		if (MAPI_TAG_ID(column->tag) ==
		    MAPI_TAG_ID(PIDTAG_CLIENT_SUBMIT_TIME) ||
		    MAPI_TAG_ID(column->tag) ==
		    MAPI_TAG_ID(PIDTAG_CONVERSATION_INDEX)) {
			props->view->want_received = TRUE;
			props->fetch |= MAIL_FETCH_RECEIVED_DATE;
		}
		break;
	case MAILPROPS_MIME_NAMED:
		if (column->name.kind == MAPI_NAME_STRING &&
		    memcmp(&column->name.guid, &PS_INTERNET_HEADERS,
			   sizeof(PS_INTERNET_HEADERS)) == 0)
			mailprops_want_header(column->name.name, wanted);
		break;
	}
}

static bool
mailprops_column_has_bag(const struct mapi_mailprops_column *column)
{
	/* the server's, and in bags nevertheless */
	static const uint32_t tags[] = {
		PIDTAG_HAS_ATTACHMENTS, PIDTAG_LAST_MODIFICATION_TIME,
		PIDTAG_LAST_MODIFIER_NAME, PIDTAG_LAST_MODIFIER_ENTRY_ID,
	};
	bool named = MAPI_TAG_IS_NAMED(column->tag);
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		if (MAPI_TAG_ID(column->tag) == MAPI_TAG_ID(tags[i]))
			return TRUE;
	}
	return (!named || column->name.kind != MAPI_NAME_NONE) &&
		mapi_message_prop_class(column->tag, named ?
			&column->name : NULL) != MAPI_PROP_COMPUTED;
}

static int mapi_mailprops_destructor(struct mapi_mailprops *props)
{
	if (props->headers != NULL)
		mailbox_header_lookup_unref(&props->headers);
	return 0;
}

struct mapi_mailprops *
mapi_mailprops_init(TALLOC_CTX *parent, struct mapi_folder *folder,
		    bool associated, const uint32_t *tags, unsigned int count)
{
	struct mapi_mailprops *props;
	struct mailprops_wanted wanted;
	struct mailbox *box = folder->box;
	unsigned int i;

	props = talloc_zero(parent, struct mapi_mailprops);
	props->view = mapi_message_view_create(props, folder, associated);
	props->view->want_received = FALSE;
	props->columns = talloc_zero_array(props, struct mapi_mailprops_column,
					   count);
	props->count = count;
	if (associated &&
	    mapi_folder_open_associated(folder, &box) != EC_NONE)
		box = NULL;

	t_array_init(&wanted.names, 32);
	for (i = 0; i < count; i++) {
		mailprops_column_init(props, folder->obj.store, tags[i],
				      &props->columns[i]);
		/* made for who opens a message only */
		if (MAPI_TAG_ID(tags[i]) == MAPI_TAG_ID(PIDTAG_RTF_COMPRESSED))
			props->columns[i].source = MAILPROPS_NONE;
		if (box != NULL && mailprops_column_has_bag(&props->columns[i]))
			props->bags = mapi_folder_bags(folder, associated);
		mailprops_want_column(props, &props->columns[i], &wanted);
	}
	if (array_count(&wanted.names) > 0 && box != NULL) {
		array_append_zero(&wanted.names);
		props->headers =
			mailbox_header_lookup_init(box,
						   array_front(&wanted.names));
		props->view->wanted_headers = props->headers;
	}
	talloc_set_destructor(props, mapi_mailprops_destructor);
	return props;
}

void mapi_mailprops_wanted(struct mapi_mailprops *props,
			   unsigned int *mail_fetch_fields_r,
			   struct mailbox_header_lookup_ctx **headers_r)
{
	*mail_fetch_fields_r = props->fetch;
	*headers_r = props->headers;
}

/* Cuts a string so that it has at most max_size bytes as UTF-16. */
static void mailprops_truncate_str(TALLOC_CTX *mem, size_t max_size,
				   struct mapi_value *value)
{
	const char *p = value->u.str;
	size_t size = 0;
	unsigned int len;

	/* that many bytes of UTF-8 are never more than the double as UTF-16 */
	if (strnlen(p, max_size / 2 + 1) <= max_size / 2)
		return;
	for (; *p != '\0'; p += len) {
		len = uni_utf8_char_bytes(*p);
		size += len == 4 ? 4 : 2;
		if (size > max_size || strnlen(p, len) < len)
			break;
	}
	if (*p != '\0') {
		value->u.str = talloc_strndup(mem, value->u.str,
					      p - value->u.str);
	}
}

/* The beginning of a body that is too large to be had as a whole */
static enum mapi_error
mailprops_get_body_start(struct mapi_message_view *view, TALLOC_CTX *mem,
			 size_t max_size, struct mapi_value *value_r)
{
	struct mime_message *mime = mapi_message_view_mime(view);
	const unsigned char *data;
	struct istream *input;
	size_t size, len;

	if (mime == NULL || mime_message_open_text(mime, &input) < 0)
		return mapi_message_view_error(view);
	/* a character of 2 bytes UTF-16 has up to 3 in UTF-8 */
	max_size = max_size / 2 * 3;
	while ((len = i_stream_get_data_size(input)) < max_size &&
	       i_stream_read(input) > 0) ;
	data = i_stream_get_data(input, &size);
	size = uni_utf8_data_truncate(data, size, max_size);
	*value_r = mapi_value_str(talloc_strndup(mem, (const char *)data,
						 size));
	i_stream_unref(&input);
	return EC_NONE;
}

static enum mapi_error
mailprops_truncate(struct mapi_message_view *view, uint32_t tag,
		   TALLOC_CTX *mem, size_t max_size, struct mapi_value *value)
{
	enum mapi_error error;

	if (value->type == PTYP_ERROR_CODE &&
	    value->u.error == EC_NOT_ENOUGH_MEMORY &&
	    MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_BODY)) {
		error = mailprops_get_body_start(view, mem, max_size, value);
		if (error != EC_NONE)
			return error;
	}
	if (value->type == PTYP_STRING)
		mailprops_truncate_str(mem, max_size, value);
	else if (value->type == PTYP_BINARY)
		value->u.bin.len = I_MIN(value->u.bin.len, max_size);
	return EC_NONE;
}

enum mapi_error
mapi_mailprops_get(struct mapi_mailprops *props, struct mail *mail,
		   TALLOC_CTX *mem, size_t max_size,
		   struct mapi_value *values_r)
{
	struct mapi_overlay *overlay = NULL;
	enum mapi_error error = EC_NONE;
	unsigned int i;

	mapi_message_view_set_mail(props->view, mail);
	if (props->bags != NULL && mapi_bags_exist(props->bags)) {
		error = mapi_bags_load(props->bags, mem, mail, &overlay);
		/* a row without what is in its bag is better than none */
		if (error != EC_OBJECT_DELETED)
			error = EC_NONE;
		mapi_flag_props_reconcile_mail(mail, overlay);
	}
	props->view->overlay = overlay;
	for (i = 0; i < props->count && error == EC_NONE; i++) {
		error = mailprops_get_cell(props->view, &props->columns[i],
					   mem, max_size, &values_r[i]);
		if (error == EC_NONE && max_size != SIZE_MAX) {
			error = mailprops_truncate(props->view,
						   props->columns[i].tag, mem,
						   max_size, &values_r[i]);
		}
	}
	props->view->overlay = NULL;
	talloc_free(overlay);
	return error;
}
