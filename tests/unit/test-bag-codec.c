/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* decode(encode(content)) == content, for whatever content; and what isn't the
   encoding of one is refused. */

#include "lib.h"
#include "buffer.h"
#include "hex-binary.h"
#include "istream.h"
#include "ostream.h"
#include "mapi-bag-codec.h"
#include "mapi-props.h"
#include "wire-hex.h"
#include "wire-random-private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static TALLOC_CTX *mem;

static int setup(void **state)
{
	mem = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(mem);
	return 0;
}

/* --- comparing -------------------------------------------------------------- */

static void
assert_set_equal(const struct mapi_propset *a, const struct mapi_propset *b)
{
	const struct mapi_content_prop *prop, *other;
	unsigned int i;

	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++) {
		prop = &a->props[i];
		other = &b->props[i];
		assert_int_equal(prop->name != NULL, other->name != NULL);
		assert_int_equal(MAPI_TAG_TYPE(prop->tag),
				 MAPI_TAG_TYPE(other->tag));
		if (prop->name == NULL)
			assert_int_equal(prop->tag, other->tag);
		else {
			assert_true(MAPI_TAG_IS_NAMED(other->tag));
			assert_ptr_equal(mapi_propset_find_name(b, prop->name),
					 other);
		}
		if (prop->name != NULL && prop->name->kind == MAPI_NAME_STRING)
			assert_string_equal(prop->name->name,
					    other->name->name);
		assert_int_equal(mapi_content_prop_equal(prop, other), 1);
		/* what is large, and only that, is a stream */
		if (prop->stream == NULL && other->stream != NULL)
			assert_true(prop->value.u.bin.len >
				    MAPI_BAG_STREAM_MIN);
	}
}

static void
assert_content_equal(const struct mapi_content *a, const struct mapi_content *b)
{
	unsigned int i;

	assert_set_equal(a->props, b->props);
	assert_int_equal(a->recipient_count, b->recipient_count);
	for (i = 0; i < a->recipient_count; i++) {
		assert_int_equal(a->recipients[i].row_id,
				 b->recipients[i].row_id);
		assert_set_equal(a->recipients[i].props,
				 b->recipients[i].props);
	}
	assert_int_equal(a->attachment_count, b->attachment_count);
	for (i = 0; i < a->attachment_count; i++) {
		const struct mapi_content_attachment *att = &a->attachments[i];
		const struct mapi_content_attachment *other =
			&b->attachments[i];

		assert_int_equal(att->num, other->num);
		assert_set_equal(att->props, other->props);
		assert_int_equal(att->embedded != NULL,
				 other->embedded != NULL);
		if (att->embedded != NULL) {
			assert_content_equal(att->embedded, other->embedded);
		}
	}
}

/* --- coding ----------------------------------------------------------------- */

static buffer_t *encode(const struct mapi_content *content)
{
	buffer_t *buf = buffer_create_dynamic(default_pool, 4096);
	struct ostream *output = o_stream_create_buffer(buf);

	if (mapi_bag_encode(content, output) < 0)
		fail_msg("%s", o_stream_get_error(output));
	assert_int_equal(o_stream_finish(output), 1);
	o_stream_unref(&output);
	return buf;
}

static void
assert_not_encoded(const struct mapi_content *content, const char *why)
{
	buffer_t *buf = buffer_create_dynamic(default_pool, 4096);
	struct ostream *output = o_stream_create_buffer(buf);

	assert_int_equal(mapi_bag_encode(content, output), -1);
	assert_non_null(strstr(o_stream_get_error(output), why));
	o_stream_abort(output);
	o_stream_unref(&output);
	buffer_free(&buf);
}

static int
decode(const void *data, size_t size, struct mapi_content **content_r,
       const char **error_r)
{
	struct istream *input = i_stream_create_from_data(data, size);
	int ret;

	ret = mapi_bag_decode(mem, input, content_r, error_r);
	i_stream_unref(&input);
	return ret;
}

static void assert_round_trip(const struct mapi_content *content)
{
	struct mapi_content *copy;
	const char *error;
	buffer_t *bytes, *again;

	bytes = encode(content);
	if (decode(bytes->data, bytes->used, &copy, &error) < 0)
		fail_msg("%s", error);
	assert_content_equal(content, copy);
	/* streams are read where they are, in the encoding */
	again = encode(copy);
	assert_int_equal(bytes->used, again->used);
	assert_memory_equal(bytes->data, again->data, bytes->used);
	talloc_free(copy);
	buffer_free(&bytes);
	buffer_free(&again);
}

/* --- generated content ------------------------------------------------------ */

static uint16_t random_id(struct wire_random *rnd)
{
	switch (wire_random_below(rnd, 4)) {
	case 0:
		/* those of markers */
		return 0x3ffe + wire_random_below(rnd, 0x84);
	case 1:
		return 0x8000 + wire_random_below(rnd, 0x7fff);
	}
	return wire_random_below(rnd, 0x8000);
}

static const struct mapi_property_name *
random_name(struct wire_random *rnd, uint16_t id)
{
	struct mapi_property_name *name =
		talloc_zero(rnd->mem, struct mapi_property_name);

	wire_random_bytes(rnd, name->guid.bytes, sizeof(name->guid.bytes));
	if (wire_random_below(rnd, 2) == 0) {
		name->kind = MAPI_NAME_LID;
		name->lid = id;
	} else {
		name->kind = MAPI_NAME_STRING;
		name->name = wire_random_utf8(rnd, 40);
	}
	return name;
}

static void
random_binary(struct wire_random *rnd, struct mapi_content_prop *prop)
{
	struct mapi_value *value = &prop->value;

	switch (wire_random_below(rnd, 20)) {
	case 0:
		value->u.bin.len = MAPI_BAG_STREAM_MIN - 1 +
			wire_random_below(rnd, 4);
		value->u.bin.data = wire_random_data(rnd, value->u.bin.len);
		break;
	case 1:
	case 2:
		wire_random_binary(rnd, &value->u.bin);
		prop->stream = i_stream_create_copy_from_data(
			value->u.bin.data, value->u.bin.len);
		i_zero(&value->u.bin);
		break;
	default:
		wire_random_binary(rnd, &value->u.bin);
		break;
	}
}

static void random_set(struct wire_random *rnd, struct mapi_propset *set)
{
	unsigned int i, count = wire_random_count(rnd);
	struct mapi_content_prop prop;
	uint32_t nan32 = 0x7f800001 | (wire_random_u64(rnd) & 0x807fffff);
	uint64_t nan64 = 0x7ff0000000000001ULL |
		(wire_random_u64(rnd) & 0x800fffffffffffffULL);
	uint16_t id, type;

	for (i = 0; i < count; i++) {
		i_zero(&prop);
		id = random_id(rnd);
		type = wire_random_type(rnd);
		prop.tag = MAPI_TAG(id, type);
		if (MAPI_TAG_IS_NAMED(prop.tag))
			prop.name = random_name(rnd, id);
		wire_random_value(rnd, type, &prop.value);
		if (type == PTYP_BINARY || type == PTYP_OBJECT)
			random_binary(rnd, &prop);
		else if (type == PTYP_FLOATING32)
			memcpy(&prop.value.u.f32, &nan32, sizeof(nan32));
		else if (type == PTYP_FLOATING64)
			memcpy(&prop.value.u.f64, &nan64, sizeof(nan64));
		assert_true(mapi_propset_set(set, &prop));
		i_stream_unref(&prop.stream);
	}
}

static void
random_content(struct wire_random *rnd, struct mapi_content *content,
	       unsigned int depth)
{
	unsigned int i, count;
	struct mapi_content_attachment *att;

	random_set(rnd, content->props);
	count = wire_random_count(rnd);
	for (i = 0; i < count; i++) {
		random_set(rnd, mapi_content_add_recipient(content,
				(uint32_t)wire_random_u64(rnd))->props);
	}
	count = depth == 0 ? 0 : wire_random_below(rnd, 4);
	for (i = 0; i < count; i++) {
		att = mapi_content_add_attachment(content,
				(uint32_t)wire_random_u64(rnd));
		random_set(rnd, att->props);
		if (wire_random_below(rnd, 2) == 0) {
			att->embedded = mapi_content_create(content);
			random_content(rnd, att->embedded, depth - 1);
		}
	}
}

static void test_random(void **state)
{
	struct wire_random rnd;
	struct mapi_content *content;
	unsigned int i;

	wire_random_init(&rnd, NULL, wire_random_seed());
	for (i = 0; i < 150; i++) T_BEGIN {
		rnd.mem = talloc_new(mem);
		content = mapi_content_create(rnd.mem);
		random_content(&rnd, content, 3);
		assert_round_trip(content);
		talloc_free(rnd.mem);
	} T_END;
}

/* --- single cases ----------------------------------------------------------- */

static void
set_bin(struct mapi_propset *set, uint32_t tag, size_t size, bool as_stream)
{
	struct mapi_content_prop prop;
	uint8_t *data = talloc_array(mem, uint8_t, size + 1);
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	i_zero(&prop);
	prop.tag = tag;
	prop.value.type = MAPI_TAG_TYPE(tag);
	if (as_stream)
		prop.stream = i_stream_create_copy_from_data(data, size);
	else {
		prop.value.u.bin.len = size;
		prop.value.u.bin.data = data;
	}
	assert_true(mapi_propset_set(set, &prop));
	i_stream_unref(&prop.stream);
	talloc_free(data);
}

/* The bytes by [MS-OXCFXICS] 2.2.4 */
static void test_bytes(void **state)
{
	static const char hex[] =
		/* PidTagSubject "a" */
		"1f003700 04000000 61000000"
		/* 0x400D0003, which is a marker: PS_MAPI */
		"03000080 28030200 00000000c000000000000046 00 0d400000"
		"05000000"
		/* a name */
		"0b000080 29030200 00000000c000000000000046 01 4b000000 0100"
		/* StartRecip, PidTagRowid, PidTagRecipientType, EndToRecip */
		"03000340 03000030 07000000 0300150c 01000000 03000440"
		/* NewAttach, PidTagAttachNumber, StartEmbed, PidTagSubject,
		   EndEmbed, EndAttach */
		"03000040 0300210e 02000000 03000140"
		"1f003700 02000000 0000 03000240 03000e40"
		/* EndMessage */
		"03000d40";
	struct mapi_content *content = mapi_content_create(mem), *copy;
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "K",
	};
	struct mapi_content_prop prop = {
		.tag = 0x8765000B, .name = &name,
		.value = mapi_value_bool(TRUE),
	};
	struct mapi_value value = mapi_value_str("a");
	struct mapi_content_attachment *att;
	const char *error;
	buffer_t *buf;
	uint8_t *data;
	size_t size;

	assert_true(mapi_propset_set_value(content->props, PIDTAG_SUBJECT,
					   &value));
	value = mapi_value_i32(5);
	assert_true(mapi_propset_set_value(content->props, 0x400D0003,
					   &value));
	assert_true(mapi_propset_set(content->props, &prop));
	value = mapi_value_i32(1);
	assert_true(mapi_propset_set_value(
		mapi_content_add_recipient(content, 7)->props,
		PIDTAG_RECIPIENT_TYPE, &value));
	att = mapi_content_add_attachment(content, 2);
	att->embedded = mapi_content_create(content);
	value = mapi_value_str("");
	assert_true(mapi_propset_set_value(att->embedded->props,
					   PIDTAG_SUBJECT, &value));

	data = wire_hex(mem, hex, &size);
	buf = encode(content);
	assert_string_equal(binary_to_hex(buf->data, buf->used),
			    binary_to_hex(data, size));
	buffer_free(&buf);
	assert_int_equal(decode(data, size, &copy, &error), 0);
	assert_content_equal(content, copy);
	assert_int_equal(copy->props->props[2].tag, 0x8000000B);
}

/* Beginnings of an encoding are never taken for one. */
static void test_cut(void **state)
{
	struct mapi_content *content = mapi_content_create(mem), *copy;
	struct mapi_value value = mapi_value_str("a subject");
	struct mapi_content_attachment *att;
	const char *error;
	unsigned char more[1] = { 0 };
	buffer_t *buf;
	size_t i;

	(void)mapi_propset_set_value(content->props, PIDTAG_SUBJECT, &value);
	(void)mapi_content_add_recipient(content, 0);
	att = mapi_content_add_attachment(content, 0);
	set_bin(att->props, PIDTAG_ATTACH_DATA_BINARY,
		MAPI_BAG_STREAM_MIN + 1, FALSE);
	att->embedded = mapi_content_create(content);
	buf = encode(content);
	for (i = 0; i < buf->used; i++) T_BEGIN {
		if (i == 200)
			i = buf->used - 200;
		assert_int_equal(decode(buf->data, i, &copy, &error), -1);
		assert_string_equal(error, "unexpected end");
	} T_END;
	assert_int_equal(decode(buf->data, buf->used, &copy, &error), 0);
	buffer_append(buf, more, 1);
	assert_int_equal(decode(buf->data, buf->used, &copy, &error), -1);
	assert_string_equal(error, "more than a message");
	buffer_free(&buf);
}

static void test_streams(void **state)
{
	struct mapi_content *content = mapi_content_create(mem), *copy;
	struct istream *input;
	const char *error;
	buffer_t *buf;

	set_bin(content->props, PIDTAG_HTML, MAPI_BAG_STREAM_MIN, TRUE);
	set_bin(content->props, PIDTAG_RTF_COMPRESSED,
		MAPI_BAG_STREAM_MIN + 1, FALSE);
	set_bin(content->props, MAPI_TAG(0x6600, PTYP_OBJECT), 1000000, TRUE);
	set_bin(content->props, MAPI_TAG(0x6601, PTYP_BINARY), 0, TRUE);
	assert_round_trip(content);

	/* behind other bytes, from a stream that isn't needed afterwards */
	buf = encode(content);
	buffer_insert(buf, 0, "head", 4);
	input = i_stream_create_copy_from_data(buf->data, buf->used);
	buffer_free(&buf);
	i_stream_skip(input, 4);
	assert_int_equal(mapi_bag_decode(mem, input, &copy, &error), 0);
	i_stream_unref(&input);
	assert_content_equal(content, copy);
	assert_null(mapi_propset_find(copy->props, PIDTAG_HTML)->stream);
	assert_non_null(mapi_propset_find(copy->props,
					  PIDTAG_RTF_COMPRESSED)->stream);
}

static struct mapi_content *nested(unsigned int depth)
{
	struct mapi_content *content = mapi_content_create(mem), *inner;

	inner = content;
	for (; depth > 0; depth--) {
		struct mapi_content_attachment *att =
			mapi_content_add_attachment(inner, 0);

		att->embedded = mapi_content_create(inner);
		inner = att->embedded;
	}
	return content;
}

static void test_depth(void **state)
{
	static const uint8_t embed[] = {
		0x03, 0x00, 0x00, 0x40, 0x03, 0x00, 0x21, 0x0e, 0, 0, 0, 0,
		0x03, 0x00, 0x01, 0x40,
	};
	struct mapi_content *copy;
	const char *error;
	buffer_t *buf = buffer_create_dynamic(default_pool, 4096);
	unsigned int i;

	assert_round_trip(nested(MAPI_BAG_MAX_DEPTH));
	assert_not_encoded(nested(MAPI_BAG_MAX_DEPTH + 1), "too deep");
	for (i = 0; i <= MAPI_BAG_MAX_DEPTH; i++)
		buffer_append(buf, embed, sizeof(embed));
	assert_int_equal(decode(buf->data, buf->used, &copy, &error), -1);
	assert_non_null(strstr(error, "too deep"));
	buffer_free(&buf);
}

static void test_unencodable(void **state)
{
	struct mapi_content *content = mapi_content_create(mem);
	struct mapi_value value = mapi_value_i32(1);
	struct mapi_content_prop prop;

	assert_true(mapi_propset_set_value(content->props, 0x80000003,
					   &value));
	assert_not_encoded(content, "80000003 has no encoding");

	/* streams that can't be read */
	content = mapi_content_create(mem);
	i_zero(&prop);
	prop.tag = PIDTAG_HTML;
	prop.value.type = PTYP_BINARY;
	prop.stream = i_stream_create_error_str(EIO, "broken disk");
	assert_true(mapi_propset_set(content->props, &prop));
	i_stream_unref(&prop.stream);
	assert_not_encoded(content, "broken disk");
}

static void test_full(void **state)
{
	struct mapi_content *content = mapi_content_create(mem);
	unsigned char space[16];
	struct ostream *output;
	buffer_t buf;

	set_bin(content->props, PIDTAG_HTML, 1000, FALSE);
	buffer_create_from_data(&buf, space, sizeof(space));
	output = o_stream_create_buffer(&buf);
	o_stream_set_max_buffer_size(output, 8);
	assert_int_equal(mapi_bag_encode(content, output), -1);
	o_stream_abort(output);
	o_stream_unref(&output);
}

static void test_broken(void **state)
{
	static const struct {
		const char *hex, *error;
	} tests[] = {
		{ "", "unexpected end" },
		{ "00003700", "not a FastTransfer stream" },
		/* recipients and attachments begin with their numbers */
		{ "03000340 1f003700 02000000 0000", "can't be" },
		{ "03000340 03000440", "marker 40040003" },
		{ "03000040 03000030 00000000", "can't be" },
		{ "03000040 03000e40", "marker 400e0003" },
		/* what isn't open can't be closed */
		{ "03000440", "marker 40040003" },
		{ "03000e40", "marker 400e0003" },
		{ "03000240", "marker 40020003" },
		{ "03000340 03000030 00000000 03000d40", "marker 400d0003" },
		{ "03000340 03000030 00000000 03000340", "marker 40030003" },
		/* recipients, then attachments; properties before both */
		{ "03000040 0300210e 00000000 03000e40 03000340",
		  "marker 40030003" },
		{ "03000340 03000030 00000000 03000440 0b003700 0100",
		  "property 0037000b" },
		/* one embedded message, as the last thing in an attachment */
		{ "03000140", "StartEmbed" },
		{ "03000040 0300210e 00000000 03000140 03000240 03000140",
		  "StartEmbed" },
		{ "03000040 0300210e 00000000 03000140 03000240 0b003700 0100",
		  "property 0037000b" },
		{ "03000040 0300210e 00000000 03000140 03000d40",
		  "marker 400d0003" },
		/* markers of other streams */
		{ "03000c40", "marker 400c0003" },
		/* twice, or not in order */
		{ "0b003700 0100 0b003700 0100", "property 0037000b" },
		{ "0b003700 0100 0b003600 0100", "property 0036000b" },
		/* a large value longer than the rest */
		{ "02010b30 00000200 00", "unexpected end" },
		{ "b0843700 02000000 0000", "code page" },
	};
	struct mapi_content *content;
	const char *error;
	uint8_t *data;
	size_t size;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		data = wire_hex(mem, tests[i].hex, &size);
		assert_int_equal(decode(data, size, &content, &error), -1);
		if (strstr(error, tests[i].error) == NULL)
			fail_msg("%s: %s", tests[i].hex, error);
	} T_END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
		cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unencodable, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("bag codec", tests, NULL, NULL);
	lib_deinit();
	return ret;
}
