/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies in the types that a client may ask for them: HTML as bytes of a code page
   (PidTagHtml) and as a string (PidTagBodyHtml), and strings of eight bits. The
   same before a message is saved and afterwards. */

#include "lib.h"
#include "mapi-message-edit.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "mapi-wire.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define HTML8 MAPI_TAG_AS(PIDTAG_BODY_HTML, PTYP_STRING8)
#define BODY8 MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8)

static const struct mapi_props_options options = {
	.max_size = SIZE_MAX, .code_page = 1252, .unicode = TRUE,
};

struct html {
	uint32_t code_page;
	const char *bytes, *str;
	/* in code page 1252, NULL if that lacks a character */
	const char *str8;
};
static const struct html htmls[] = {
	{ 65001, "<p>\xc3\xa4 \xe2\x82\xac", "<p>\xc3\xa4 \xe2\x82\xac",
	  "<p>\xe4 \x80" },
	{ 1252, "<p>\xe4 \x80", "<p>\xc3\xa4 \xe2\x82\xac", "<p>\xe4 \x80" },
	{ 28605, "<p>\xe4 \xa4", "<p>\xc3\xa4 \xe2\x82\xac", "<p>\xe4 \x80" },
	{ 1251, "<p>\xc4\xe0", "<p>\xd0\x94\xd0\xb0", NULL },
	{ 20127, "<p>a", "<p>a", "<p>a" },
};

static struct mapi_message *new_message(struct message_env *env)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, FALSE, &msg),
			 EC_NONE);
	return msg;
}

static void set_props(struct mapi_message *msg,
		      const struct mapi_property *props, unsigned int count)
{
	enum mapi_error errors[4];
	unsigned int i;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, props, count, errors),
			 EC_NONE);
	for (i = 0; i < count; i++)
		assert_int_equal(errors[i], EC_NONE);
}

static struct mapi_value
get(struct message_env *env, struct mapi_message *msg, uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(mapi_object_get_props(&msg->obj, env->mem, &options,
					       &tag, 1, &value), EC_NONE);
	return value;
}

static void
assert_bytes(struct message_env *env, struct mapi_message *msg, uint32_t tag,
	     const char *bytes)
{
	struct mapi_value value = get(env, msg, tag);

	assert_int_equal(value.type, PTYP_BINARY);
	assert_int_equal(value.u.bin.len, strlen(bytes));
	assert_memory_equal(value.u.bin.data, bytes, strlen(bytes));
}

static void
assert_stream(struct message_env *env, struct mapi_message *msg, uint32_t tag,
	      const void *data, size_t size)
{
	struct mapi_stream *stream;
	uint8_t buf[1024];
	size_t len;

	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env->mem, tag,
						 &stream), EC_NONE);
	assert_int_equal(mapi_stream_read(stream, buf, sizeof(buf), &len),
			 EC_NONE);
	assert_int_equal(len, size);
	assert_memory_equal(buf, data, size);
	talloc_free(stream);
}

static void
assert_html_str(struct message_env *env, struct mapi_message *msg,
		const struct html *html)
{
	struct mapi_value value;
	size_t size;
	uint8_t *utf16;

	value = get(env, msg, PIDTAG_BODY_HTML);
	assert_int_equal(value.type, PTYP_STRING);
	assert_string_equal(value.u.str, html->str);
	value = get(env, msg, HTML8);
	assert_int_equal(value.type, PTYP_STRING8);
	if (html->str8 != NULL)
		assert_string_equal(value.u.str8, html->str8);
	utf16 = mapi_utf8_to_utf16(env->mem, html->str, &size);
	assert_stream(env, msg, PIDTAG_BODY_HTML, utf16, size);
}

/* --- bytes that are read as a string ------------------------------------------ */

static void bytes(struct message_env *env)
{
	const struct html *html;
	struct mapi_message *msg;

	for (html = htmls; html < htmls + N_ELEMENTS(htmls); html++) {
		const struct mapi_property props[] = {
			{ PIDTAG_HTML, mapi_value_bin(html->bytes,
						      strlen(html->bytes)) },
			{ PIDTAG_INTERNET_CODEPAGE,
			  mapi_value_i32(html->code_page) },
		};

		msg = new_message(env);
		set_props(msg, props, N_ELEMENTS(props));
		assert_bytes(env, msg, PIDTAG_HTML, html->bytes);
		assert_html_str(env, msg, html);
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
		assert_html_str(env, msg, html);
		msg = message_env_open(env, msg->mid);
		assert_bytes(env, msg, PIDTAG_HTML, html->bytes);
		assert_html_str(env, msg, html);
	}
}

static void test_bytes(void **state)
{
	message_for_all_drivers(bytes);
}

/* Nothing says what the bytes are. */
static void unlabelled(struct message_env *env)
{
	const struct mapi_property prop = {
		PIDTAG_HTML, mapi_value_bin("<p>\xe4 \x80", 6)
	};
	struct mapi_message *msg = new_message(env);

	set_props(msg, &prop, 1);
	assert_html_str(env, msg, &htmls[1]);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_html_str(env, msg, &htmls[1]);
}

static void test_unlabelled(void **state)
{
	message_for_all_drivers(unlabelled);
}

/* --- a string that is read as bytes -------------------------------------------- */

static void
check_string(struct message_env *env, struct mapi_message *msg,
	     const struct html *html)
{
	assert_bytes(env, msg, PIDTAG_HTML, html->bytes);
	assert_int_equal(get(env, msg, PIDTAG_INTERNET_CODEPAGE).u.i32,
			 html->code_page);
	assert_html_str(env, msg, html);
}

static void
check_string_saved(struct message_env *env, struct mapi_message *msg,
		   const struct html *html)
{
	check_string(env, msg, html);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	check_string(env, msg, html);
	check_string(env, message_env_open(env, msg->mid), html);
}

static void string(struct message_env *env)
{
	const struct html *html;
	struct mapi_message *msg;

	for (html = htmls; html < htmls + N_ELEMENTS(htmls); html++) {
		const struct mapi_property props[] = {
			{ PIDTAG_BODY_HTML, mapi_value_str(html->str) },
			{ PIDTAG_INTERNET_CODEPAGE,
			  mapi_value_i32(html->code_page) },
		};

		msg = new_message(env);
		set_props(msg, props, N_ELEMENTS(props));
		check_string_saved(env, msg, html);
	}
}

static void test_string(void **state)
{
	message_for_all_drivers(string);
}

/* No code page, and one that hasn't these characters: it's UTF-8. */
static void string_is_utf8(struct message_env *env)
{
	static const struct html html = {
		65001, "<p>\xd0\x94\xd0\xb0", "<p>\xd0\x94\xd0\xb0", NULL
	};
	const struct mapi_property props[] = {
		{ PIDTAG_BODY_HTML, mapi_value_str(html.str) },
		{ PIDTAG_INTERNET_CODEPAGE, mapi_value_i32(1252) },
	};
	struct mapi_message *msg;
	unsigned int count;

	for (count = 1; count <= N_ELEMENTS(props); count++) {
		msg = new_message(env);
		set_props(msg, props, count);
		check_string_saved(env, msg, &html);
	}
	/* in the place of another one */
	set_props(msg, &(const struct mapi_property){
			PIDTAG_BODY_HTML, mapi_value_str(htmls[0].str) }, 1);
	check_string_saved(env, msg, &htmls[0]);
}

static void test_string_is_utf8(void **state)
{
	message_for_all_drivers(string_is_utf8);
}

static void string_stream(struct message_env *env)
{
	struct mapi_message *msg = new_message(env);
	struct mapi_stream *stream;
	size_t size, written;
	uint8_t *utf16;

	utf16 = mapi_utf8_to_utf16(env->mem, htmls[0].str, &size);
	assert_int_equal(msg->obj.v->open_stream_write(&msg->obj, env->mem,
				PIDTAG_BODY_HTML, TRUE, &stream), EC_NONE);
	assert_int_equal(mapi_stream_write(stream, utf16, size, &written),
			 EC_NONE);
	assert_int_equal(written, size);
	assert_int_equal(mapi_stream_commit(stream), EC_NONE);
	talloc_free(stream);
	check_string_saved(env, msg, &htmls[0]);
}

static void test_string_stream(void **state)
{
	message_for_all_drivers(string_stream);
}

/* --- text ----------------------------------------------------------------------- */

static void
check_text(struct message_env *env, struct mapi_message *msg)
{
	struct mapi_value value;
	uint8_t *utf16;
	size_t size;

	value = get(env, msg, PIDTAG_BODY);
	assert_int_equal(value.type, PTYP_STRING);
	assert_string_equal(value.u.str, "\xc3\xa4\r\n");
	value = get(env, msg, BODY8);
	assert_int_equal(value.type, PTYP_STRING8);
	assert_string_equal(value.u.str8, "\xe4\r\n");
	utf16 = mapi_utf8_to_utf16(env->mem, "\xc3\xa4\r\n", &size);
	assert_stream(env, msg, PIDTAG_BODY, utf16, size);
	assert_stream(env, msg, BODY8, "\xe4\r\n", 3);
}

static void text(struct message_env *env)
{
	const struct mapi_property prop = {
		PIDTAG_BODY, mapi_value_str("\xc3\xa4\r\n")
	};
	struct mapi_message *msg = new_message(env);

	mapi_message_set_code_page(msg, 1252);
	set_props(msg, &prop, 1);
	check_text(env, msg);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	check_text(env, msg);
}

static void test_text(void **state)
{
	message_for_all_drivers(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_unlabelled),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_string_is_utf8),
		cmocka_unit_test(test_string_stream),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
