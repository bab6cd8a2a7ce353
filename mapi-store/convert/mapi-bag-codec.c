/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "ostream-private.h"
#include "mapi-fxstream.h"
#include "mapi-props.h"
#include "mapi-bag-codec.h"

/* Ids of markers and meta-properties, [MS-OXCFXICS] 2.2.4.1.4, 2.2.4.1.5 */
#define FX_ID_MIN 0x4000
#define FX_ID_MAX 0x407F

/* Output is collected up to this size. */
#define BAG_BUFFER_SIZE (32 * 1024)

static bool id_is_reserved(uint16_t id)
{
	return id >= FX_ID_MIN && id <= FX_ID_MAX;
}

/* Where the stream ends, be it by reading it. Its position isn't changed. */
static int stream_size(struct istream *input, uoff_t *size_r)
{
	uoff_t offset = input->v_offset;
	const unsigned char *data;
	size_t size;
	int ret = i_stream_get_size(input, TRUE, size_r);

	if (ret == 0) {
		while (i_stream_read_more(input, &data, &size) > 0)
			i_stream_skip(input, size);
		*size_r = input->v_offset;
		ret = input->stream_errno == 0 ? 1 : -1;
		i_stream_seek(input, offset);
	}
	return ret < 0 ? -1 : 0;
}

/* --- encoding --------------------------------------------------------------- */

struct bag_encoder {
	struct ostream *output;
	struct mapi_push push;
};

static int ATTR_FORMAT(2, 3)
bag_encode_fail(struct bag_encoder *enc, const char *fmt, ...)
{
	va_list args;

	if (enc->output->stream_errno != 0)
		return -1;
	va_start(args, fmt);
	io_stream_set_verror(&enc->output->real_stream->iostream, fmt, args);
	va_end(args);
	enc->output->stream_errno = EINVAL;
	return -1;
}

static int bag_encoder_flush(struct bag_encoder *enc)
{
	struct mapi_push *push = &enc->push;
	ssize_t ret;

	ret = o_stream_send(enc->output, push->data, push->size);
	if (ret < 0 || (size_t)ret != push->size)
		return bag_encode_fail(enc, "output is full");
	push->size = 0;
	return 0;
}

static int bag_encode_marker(struct bag_encoder *enc, enum mapi_fx_marker marker)
{
	if (!mapi_fx_push_marker(&enc->push, marker))
		return bag_encode_fail(enc, "out of memory");
	return enc->push.size < BAG_BUFFER_SIZE ? 0 : bag_encoder_flush(enc);
}

static int
bag_encode_stream(struct bag_encoder *enc, uint32_t tag,
		  const struct mapi_content_prop *prop,
		  const struct mapi_property_name *name)
{
	struct istream *input = prop->stream;
	uoff_t size, start;

	if (stream_size(input, &size) < 0) {
		return bag_encode_fail(enc, "read(%s) failed: %s",
				       i_stream_get_name(input),
				       i_stream_get_error(input));
	}
	if (size > UINT32_MAX)
		return bag_encode_fail(enc, "property %08x is too large", tag);
	tag = MAPI_TAG_AS(tag, prop->value.type);
	if (!mapi_fx_push_large(&enc->push, tag, name, size))
		return bag_encode_fail(enc, "property %08x has no encoding",
				       prop->tag);
	if (bag_encoder_flush(enc) < 0)
		return -1;
	start = enc->output->offset;
	i_stream_seek(input, 0);
	switch (o_stream_send_istream(enc->output, input)) {
	case OSTREAM_SEND_ISTREAM_RESULT_FINISHED:
		break;
	case OSTREAM_SEND_ISTREAM_RESULT_ERROR_INPUT:
		return bag_encode_fail(enc, "read(%s) failed: %s",
				       i_stream_get_name(input),
				       i_stream_get_error(input));
	default:
		return bag_encode_fail(enc, "output is full");
	}
	if (enc->output->offset - start != size) {
		return bag_encode_fail(enc, "read(%s) failed: size has changed",
				       i_stream_get_name(input));
	}
	return 0;
}

static int
bag_encode_prop(struct bag_encoder *enc, const struct mapi_content_prop *prop)
{
	const struct mapi_property_name *name = NULL;
	struct mapi_property_name id_name;
	uint32_t tag = prop->tag;
	uint16_t id = MAPI_TAG_ID(tag);

	if (MAPI_TAG_IS_NAMED(tag)) {
		name = prop->name;
	} else if (id_is_reserved(id)) {
		i_zero(&id_name);
		id_name.kind = MAPI_NAME_LID;
		id_name.guid = PS_MAPI;
		id_name.lid = id;
		name = &id_name;
	}
	if (name != NULL)
		tag = MAPI_TAG(MAPI_NAMED_PROPERTY_ID_MIN, MAPI_TAG_TYPE(tag));
	if (prop->stream != NULL)
		return bag_encode_stream(enc, tag, prop, name);
	if (!mapi_fx_push_property(&enc->push, tag, name, &prop->value)) {
		return bag_encode_fail(enc, "property %08x has no encoding",
				       prop->tag);
	}
	return enc->push.size < BAG_BUFFER_SIZE ? 0 : bag_encoder_flush(enc);
}

static int
bag_encode_props(struct bag_encoder *enc, const struct mapi_propset *set)
{
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		if (bag_encode_prop(enc, &set->props[i]) < 0)
			return -1;
	}
	return 0;
}

/* The number of a recipient or attachment */
static int
bag_encode_number(struct bag_encoder *enc, uint32_t tag, uint32_t number)
{
	struct mapi_value value = mapi_value_i32(number);

	if (!mapi_fx_push_property(&enc->push, tag, NULL, &value))
		return bag_encode_fail(enc, "out of memory");
	return 0;
}

static int
bag_encode_recipient(struct bag_encoder *enc,
		     const struct mapi_content_recipient *recipient)
{
	if (bag_encode_marker(enc, MAPI_FX_START_RECIP) < 0 ||
	    bag_encode_number(enc, PIDTAG_ROWID, recipient->row_id) < 0 ||
	    bag_encode_props(enc, recipient->props) < 0)
		return -1;
	return bag_encode_marker(enc, MAPI_FX_END_TO_RECIP);
}

static int
bag_encode_content(struct bag_encoder *enc, const struct mapi_content *content,
		   unsigned int depth);

static int
bag_encode_attachment(struct bag_encoder *enc,
		      const struct mapi_content_attachment *attachment,
		      unsigned int depth)
{
	if (bag_encode_marker(enc, MAPI_FX_NEW_ATTACH) < 0 ||
	    bag_encode_number(enc, PIDTAG_ATTACH_NUMBER, attachment->num) < 0 ||
	    bag_encode_props(enc, attachment->props) < 0)
		return -1;
	if (attachment->embedded != NULL) {
		if (depth == MAPI_BAG_MAX_DEPTH) {
			return bag_encode_fail(enc,
				"messages are embedded too deep");
		}
		if (bag_encode_marker(enc, MAPI_FX_START_EMBED) < 0 ||
		    bag_encode_content(enc, attachment->embedded,
				       depth + 1) < 0 ||
		    bag_encode_marker(enc, MAPI_FX_END_EMBED) < 0)
			return -1;
	}
	return bag_encode_marker(enc, MAPI_FX_END_ATTACH);
}

static int
bag_encode_content(struct bag_encoder *enc, const struct mapi_content *content,
		   unsigned int depth)
{
	unsigned int i;

	if (bag_encode_props(enc, content->props) < 0)
		return -1;
	for (i = 0; i < content->recipient_count; i++) {
		if (bag_encode_recipient(enc, &content->recipients[i]) < 0)
			return -1;
	}
	for (i = 0; i < content->attachment_count; i++) {
		if (bag_encode_attachment(enc, &content->attachments[i],
					  depth) < 0)
			return -1;
	}
	return 0;
}

int mapi_bag_encode(const struct mapi_content *content, struct ostream *output)
{
	struct bag_encoder enc;
	TALLOC_CTX *mem = talloc_new(NULL);
	int ret;

	i_zero(&enc);
	enc.output = output;
	mapi_push_init(&enc.push, mem, 0);
	ret = bag_encode_content(&enc, content, 0);
	if (ret == 0)
		ret = bag_encode_marker(&enc, MAPI_FX_END_MESSAGE);
	if (ret == 0)
		ret = bag_encoder_flush(&enc);
	talloc_free(mem);
	return ret;
}

/* --- decoding --------------------------------------------------------------- */

/* Where in a message's content the stream is */
enum bag_place {
	/* properties may come */
	BAG_PLACE_MESSAGE,
	/* the row id must come */
	BAG_PLACE_RECIPIENT_START,
	BAG_PLACE_RECIPIENT,
	/* the last one is complete */
	BAG_PLACE_RECIPIENTS,
	BAG_PLACE_ATTACHMENT_START,
	BAG_PLACE_ATTACHMENT,
	/* its embedded message is complete */
	BAG_PLACE_ATTACHMENT_END,
	BAG_PLACE_ATTACHMENTS,
	BAG_PLACE_END,
};

struct bag_level {
	struct mapi_content *content;
	enum bag_place place;
};

struct bag_decoder {
	struct istream *input;
	uoff_t input_size;
	struct mapi_fx_reader *reader;

	struct bag_level levels[MAPI_BAG_MAX_DEPTH + 1];
	unsigned int depth;
	/* what properties belong to, and which come next */
	struct mapi_propset *set;
	uint32_t next_id;

	const char *error;
};

static int bag_decode_fail(struct bag_decoder *dec, const char *error)
{
	if (dec->error == NULL)
		dec->error = error;
	return -1;
}

static void bag_begin_set(struct bag_decoder *dec, struct mapi_propset *set)
{
	dec->set = set;
	dec->next_id = 0;
}

static void bag_begin_level(struct bag_decoder *dec, struct mapi_content *content)
{
	struct bag_level *level = &dec->levels[dec->depth];

	level->content = content;
	level->place = BAG_PLACE_MESSAGE;
	bag_begin_set(dec, content->props);
}

static struct mapi_content_attachment *bag_attachment(struct bag_level *level)
{
	return &level->content->
		attachments[level->content->attachment_count - 1];
}

static int bag_decode_start_embed(struct bag_decoder *dec)
{
	struct bag_level *level = &dec->levels[dec->depth];
	struct mapi_content *embedded;

	if (level->place != BAG_PLACE_ATTACHMENT)
		return bag_decode_fail(dec, "StartEmbed outside an attachment");
	if (dec->depth == MAPI_BAG_MAX_DEPTH)
		return bag_decode_fail(dec, "messages are embedded too deep");
	embedded = mapi_content_create(level->content);
	bag_attachment(level)->embedded = embedded;
	level->place = BAG_PLACE_ATTACHMENT_END;
	dec->depth++;
	bag_begin_level(dec, embedded);
	return 0;
}

/* Nothing in the message's content has begun and not ended. */
static bool place_is_between(enum bag_place place)
{
	return place == BAG_PLACE_MESSAGE || place == BAG_PLACE_RECIPIENTS ||
		place == BAG_PLACE_ATTACHMENTS;
}

static int bag_decode_marker(struct bag_decoder *dec, uint32_t marker)
{
	struct bag_level *level = &dec->levels[dec->depth];
	enum bag_place place = level->place;

	switch (marker) {
	case MAPI_FX_START_RECIP:
		if (place != BAG_PLACE_MESSAGE &&
		    place != BAG_PLACE_RECIPIENTS)
			break;
		level->place = BAG_PLACE_RECIPIENT_START;
		return 0;
	case MAPI_FX_END_TO_RECIP:
		if (place != BAG_PLACE_RECIPIENT)
			break;
		level->place = BAG_PLACE_RECIPIENTS;
		return 0;
	case MAPI_FX_NEW_ATTACH:
		if (!place_is_between(place))
			break;
		level->place = BAG_PLACE_ATTACHMENT_START;
		return 0;
	case MAPI_FX_END_ATTACH:
		if (place != BAG_PLACE_ATTACHMENT &&
		    place != BAG_PLACE_ATTACHMENT_END)
			break;
		level->place = BAG_PLACE_ATTACHMENTS;
		return 0;
	case MAPI_FX_START_EMBED:
		return bag_decode_start_embed(dec);
	case MAPI_FX_END_EMBED:
		if (dec->depth == 0 || !place_is_between(place))
			break;
		dec->depth--;
		return 0;
	case MAPI_FX_END_MESSAGE:
		if (dec->depth > 0 || !place_is_between(place))
			break;
		level->place = BAG_PLACE_END;
		return 0;
	}
	return bag_decode_fail(dec, t_strdup_printf(
		"marker %08x where it can't be", marker));
}

/* The number with which recipients and attachments begin. 1 if there is none,
   but a property. */
static int
bag_decode_number(struct bag_decoder *dec, const struct mapi_fx_element *elem)
{
	struct bag_level *level = &dec->levels[dec->depth];
	struct mapi_content *content = level->content;
	uint32_t number = elem->value.u.i32;

	switch (level->place) {
	case BAG_PLACE_RECIPIENT_START:
		if (elem->tag != PIDTAG_ROWID)
			break;
		bag_begin_set(dec, mapi_content_add_recipient(content,
							      number)->props);
		level->place = BAG_PLACE_RECIPIENT;
		return 0;
	case BAG_PLACE_ATTACHMENT_START:
		if (elem->tag != PIDTAG_ATTACH_NUMBER)
			break;
		bag_begin_set(dec, mapi_content_add_attachment(content,
							       number)->props);
		level->place = BAG_PLACE_ATTACHMENT;
		return 0;
	case BAG_PLACE_MESSAGE:
	case BAG_PLACE_RECIPIENT:
	case BAG_PLACE_ATTACHMENT:
		return 1;
	default:
		break;
	}
	return bag_decode_fail(dec, t_strdup_printf(
		"property %08x where it can't be", elem->tag));
}

/* The id under which the property is in its set */
static int
bag_decode_id(struct bag_decoder *dec, const struct mapi_fx_element *elem,
	      struct mapi_content_prop *prop_r)
{
	const struct mapi_property_name *name = elem->name;
	uint32_t id = MAPI_TAG_ID(elem->tag);

	if (name != NULL && name->kind == MAPI_NAME_LID &&
	    name->lid < MAPI_NAMED_PROPERTY_ID_MIN &&
	    memcmp(&name->guid, &PS_MAPI, sizeof(name->guid)) == 0) {
		id = name->lid;
		name = NULL;
	} else if (name != NULL) {
		id = I_MAX(dec->next_id, MAPI_NAMED_PROPERTY_ID_MIN);
	}
	if (id < dec->next_id || dec->set->count == MAPI_PROPSET_MAX) {
		return bag_decode_fail(dec, t_strdup_printf(
			"property %08x where it can't be", elem->tag));
	}
	dec->next_id = id + 1;
	prop_r->tag = MAPI_TAG(id, elem->value.type);
	prop_r->name = name;
	return 0;
}

/* A stream over the next bytes of the input, which are skipped. */
static struct istream *
bag_decode_stream(struct bag_decoder *dec, uint32_t size)
{
	struct istream *input = dec->input, *stream;
	uoff_t offset = input->v_offset;

	if (offset > dec->input_size || size > dec->input_size - offset)
		return NULL;
	stream = i_stream_create_range(input, offset, size);
	i_stream_seek(input, offset + size);
	mapi_fx_reader_skip(dec->reader);
	return stream;
}

static int
bag_decode_prop(struct bag_decoder *dec, const struct mapi_fx_element *elem,
		bool large)
{
	struct mapi_content_prop prop;
	bool ret;

	if ((MAPI_TAG_TYPE(elem->tag) & MAPI_FX_CODE_PAGE_FLAG) != 0)
		return bag_decode_fail(dec, "string with a code page");
	i_zero(&prop);
	if (bag_decode_id(dec, elem, &prop) < 0)
		return -1;
	prop.value = elem->value;
	if (large) {
		prop.stream = bag_decode_stream(dec, elem->size);
		if (prop.stream == NULL)
			return bag_decode_fail(dec, "unexpected end");
	}
	ret = mapi_propset_set(dec->set, &prop);
	i_stream_unref(&prop.stream);
	return ret ? 0 : bag_decode_fail(dec, "out of memory");
}

static int
bag_decode_event(struct bag_decoder *dec, enum mapi_fx_event event,
		 const struct mapi_fx_element *elem)
{
	int ret;

	switch (event) {
	case MAPI_FX_MORE:
		return 0;
	case MAPI_FX_MARKER:
		return bag_decode_marker(dec, elem->tag);
	case MAPI_FX_PROPERTY:
	case MAPI_FX_LARGE:
		ret = bag_decode_number(dec, elem);
		if (ret <= 0)
			return ret;
		return bag_decode_prop(dec, elem, event == MAPI_FX_LARGE);
	case MAPI_FX_DATA:
		i_unreached();
	case MAPI_FX_INVALID:
		break;
	}
	return bag_decode_fail(dec, "not a FastTransfer stream");
}

static int bag_decode_input_error(struct bag_decoder *dec)
{
	return bag_decode_fail(dec, t_strdup_printf("read(%s) failed: %s",
				i_stream_get_name(dec->input),
				i_stream_get_error(dec->input)));
}

static int bag_decode_all(struct bag_decoder *dec)
{
	struct istream *input = dec->input;
	struct mapi_fx_element elem;
	const unsigned char *data;
	const uint8_t *pos;
	enum mapi_fx_event event;
	size_t size, left;
	int ret = 0;

	/* needed as a stream can't be asked to seek beyond its end */
	if (stream_size(input, &dec->input_size) < 0)
		return bag_decode_input_error(dec);
	while (ret == 0 && i_stream_read_more(input, &data, &size) > 0) {
		if (dec->levels[0].place == BAG_PLACE_END)
			return bag_decode_fail(dec, "more than a message");
		pos = data;
		left = size;
		event = mapi_fx_read(dec->reader, &pos, &left, &elem);
		i_stream_skip(input, size - left);
		ret = bag_decode_event(dec, event, &elem);
	}
	if (ret < 0)
		return -1;
	if (input->stream_errno != 0)
		return bag_decode_input_error(dec);
	if (dec->levels[0].place != BAG_PLACE_END)
		return bag_decode_fail(dec, "unexpected end");
	return 0;
}

int mapi_bag_decode(TALLOC_CTX *parent, struct istream *input,
		    struct mapi_content **content_r, const char **error_r)
{
	struct mapi_content *content = mapi_content_create(parent);
	struct bag_decoder dec;
	int ret;

	i_assert(input->seekable);

	i_zero(&dec);
	dec.input = input;
	dec.reader = mapi_fx_reader_create(content, MAPI_BAG_STREAM_MIN, 0);
	bag_begin_level(&dec, content);
	ret = bag_decode_all(&dec);
	talloc_free(dec.reader);
	if (ret < 0) {
		talloc_free(content);
		*error_r = dec.error;
		return -1;
	}
	*content_r = content;
	return 0;
}
