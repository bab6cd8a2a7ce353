/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies that are saved and read as RTF, over real mailboxes: what was saved comes
   back bit for bit, everybody else gets text and HTML, and a body that is saved
   later takes the place of all others. */

#include "lib.h"
#include "str.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "mime-body.h"
#include "rtf-compress.h"
#include "rtf-html.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define NATIVE "{\\rtf1\\ansi\\ansicpg1252\\deff0 a \\b bold\\b0  word\\par}"
#define FROMTEXT "{\\rtf1\\ansi\\ansicpg1252\\fromtext only text\\par}"

struct rtf {
	uint8_t *data;
	size_t size;
};

static struct mapi_message *new_message(struct message_env *env)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, FALSE, &msg),
			 EC_NONE);
	return msg;
}

static struct mapi_message *open_for_writing(struct message_env *env,
					     mapi_id_t mid)
{
	struct mapi_message *msg = message_env_open(env, mid);

	mapi_message_set_writable(msg, TRUE);
	return msg;
}

static void
set_prop(struct mapi_object *obj, uint32_t tag, struct mapi_value value)
{
	const struct mapi_property prop = { .tag = tag, .value = value };
	enum mapi_error error = EC_NONE;

	assert_int_equal(obj->v->set_props(obj, &prop, 1, &error), EC_NONE);
	assert_int_equal(error, EC_NONE);
}

static void
set_rtf(struct message_env *env, struct mapi_message *msg, const char *rtf,
	struct rtf *rtf_r)
{
	rtf_compress(env->mem, (const uint8_t *)rtf, strlen(rtf),
		     &rtf_r->data, &rtf_r->size);
	/* a byte behind what is compressed: not what we would write */
	rtf_r->data = talloc_realloc(env->mem, rtf_r->data, uint8_t,
				     rtf_r->size + 1);
	rtf_r->data[rtf_r->size++] = 0x5a;
	set_prop(&msg->obj, PIDTAG_RTF_COMPRESSED,
		 mapi_value_bin(rtf_r->data, rtf_r->size));
}

static mapi_id_t save(struct mapi_message *msg)
{
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	return msg->mid;
}

static struct mapi_value
get_prop(struct message_env *env, struct mapi_message *msg, uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	return value;
}

static void
assert_rtf(struct message_env *env, struct mapi_message *msg,
	   const struct rtf *rtf)
{
	struct mapi_value value = get_prop(env, msg, PIDTAG_RTF_COMPRESSED);

	assert_int_equal(value.type, PTYP_BINARY);
	assert_int_equal(value.u.bin.len, rtf->size);
	assert_memory_equal(value.u.bin.data, rtf->data, rtf->size);
}

static void
assert_bodies(struct message_env *env, struct mapi_message *msg,
	      const char *text, const char *html, int native, bool in_sync)
{
	struct mapi_value value;

	value = get_prop(env, msg, PIDTAG_BODY);
	assert_int_equal(value.type, PTYP_STRING);
	assert_string_equal(value.u.str, text);
	value = get_prop(env, msg, PIDTAG_HTML);
	assert_int_equal(value.type, PTYP_BINARY);
	assert_non_null(strstr(t_strndup(value.u.bin.data, value.u.bin.len),
			       html));
	value = get_prop(env, msg, PIDTAG_NATIVE_BODY);
	assert_int_equal(value.type, PTYP_INTEGER32);
	assert_int_equal(value.u.i32, native);
	value = get_prop(env, msg, PIDTAG_RTF_IN_SYNC);
	assert_int_equal(value.type, PTYP_BOOLEAN);
	assert_int_equal(value.u.b, in_sync);
}

/* The RTF that is made of another body */
static const char *
derived_rtf(struct message_env *env, struct mapi_message *msg)
{
	struct mapi_value value = get_prop(env, msg, PIDTAG_RTF_COMPRESSED);
	const char *error;
	uint8_t *rtf;
	size_t size;

	assert_int_equal(value.type, PTYP_BINARY);
	assert_int_equal(rtf_decompress(env->mem, value.u.bin.data,
					value.u.bin.len, SIZE_MAX, &rtf, &size,
					&error), 0);
	return (const char *)rtf;
}

/* --- saving ----------------------------------------------------------------- */

static void save_alone(struct message_env *env)
{
	struct mapi_message *msg = new_message(env), *again;
	struct rtf rtf;
	mapi_id_t mid;

	set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("subject"));
	set_rtf(env, msg, NATIVE, &rtf);
	/* also before it's saved */
	assert_bodies(env, msg, "a bold word\r\n",
		      "<div>a <b>bold</b> word</div>", 2, TRUE);
	mid = save(msg);
	assert_rtf(env, msg, &rtf);
	again = message_env_open(env, mid);
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "a bold word\r\n",
		      "<div>a <b>bold</b> word</div>", 2, TRUE);

	/* a change of something else leaves all of it alone */
	again = open_for_writing(env, mid);
	set_prop(&again->obj, PIDTAG_SUBJECT, mapi_value_str("other"));
	save(again);
	again = message_env_open(env, mid);
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "a bold word\r\n",
		      "<div>a <b>bold</b> word</div>", 2, TRUE);
}

static void test_save_alone(void **state)
{
	message_for_all_drivers(save_alone);
}

static void save_text(struct message_env *env)
{
	struct mapi_message *msg = new_message(env), *again;
	struct rtf rtf;

	set_rtf(env, msg, FROMTEXT, &rtf);
	again = message_env_open(env, save(msg));
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "only text\r\n", "only text", 2, TRUE);
}

static void test_save_text(void **state)
{
	message_for_all_drivers(save_text);
}

/* What a client says about its bodies is what it reads. */
static void save_several(struct message_env *env)
{
	struct mapi_message *msg = new_message(env), *again;
	struct rtf rtf;
	mapi_id_t mid;

	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("the client's text"));
	set_rtf(env, msg, NATIVE, &rtf);
	set_prop(&msg->obj, PIDTAG_RTF_IN_SYNC, mapi_value_bool(TRUE));
	mid = save(msg);
	again = open_for_writing(env, mid);
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "the client's text", "<b>bold</b>", 2, TRUE);
	set_prop(&again->obj, PIDTAG_SUBJECT, mapi_value_str("other"));
	save(again);
	again = message_env_open(env, mid);
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "the client's text", "<b>bold</b>", 2, TRUE);

	/* RTF that hasn't the text isn't the body */
	msg = new_message(env);
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("newer text"));
	set_rtf(env, msg, NATIVE, &rtf);
	set_prop(&msg->obj, PIDTAG_RTF_IN_SYNC, mapi_value_bool(FALSE));
	again = message_env_open(env, save(msg));
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "newer text", "newer text", 1, FALSE);

	/* HTML beside it is the HTML */
	msg = new_message(env);
	set_prop(&msg->obj, PIDTAG_HTML, mapi_value_bin("<i>html</i>", 11));
	set_rtf(env, msg, NATIVE, &rtf);
	set_prop(&msg->obj, PIDTAG_NATIVE_BODY, mapi_value_i32(3));
	set_prop(&msg->obj, PIDTAG_RTF_IN_SYNC, mapi_value_bool(FALSE));
	again = message_env_open(env, save(msg));
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "html\r\n", "<i>html</i>", 3, FALSE);
}

static void test_save_several(void **state)
{
	message_for_all_drivers(save_several);
}

/* --- changing --------------------------------------------------------------- */

static void replace(struct message_env *env)
{
	struct mapi_message *msg = new_message(env), *again;
	struct rtf rtf;
	mapi_id_t mid;

	/* by HTML: the RTF, and what was said about it, are gone */
	set_rtf(env, msg, NATIVE, &rtf);
	set_prop(&msg->obj, PIDTAG_RTF_IN_SYNC, mapi_value_bool(TRUE));
	set_prop(&msg->obj, PIDTAG_NATIVE_BODY, mapi_value_i32(2));
	mid = save(msg);
	msg = open_for_writing(env, mid);
	set_prop(&msg->obj, PIDTAG_HTML, mapi_value_bin("<p>new</p>", 10));
	assert_bodies(env, msg, "new\r\n", "<p>new</p>", 3, FALSE);
	save(msg);
	again = message_env_open(env, mid);
	assert_bodies(env, again, "new\r\n", "<p>new</p>", 3, FALSE);
	assert_non_null(strstr(derived_rtf(env, again), "\\fromhtml1"));

	/* by RTF again */
	msg = open_for_writing(env, mid);
	set_rtf(env, msg, NATIVE, &rtf);
	save(msg);
	again = message_env_open(env, mid);
	assert_rtf(env, again, &rtf);
	assert_bodies(env, again, "a bold word\r\n", "<b>bold</b>", 2, TRUE);

	/* by text */
	msg = open_for_writing(env, mid);
	set_prop(&msg->obj, PIDTAG_BODY, mapi_value_str("new text"));
	save(msg);
	again = message_env_open(env, mid);
	assert_bodies(env, again, "new text", "new text", 1, FALSE);
	assert_non_null(strstr(derived_rtf(env, again), "\\fromtext"));

	/* TRUE without RTF would hide the HTML from clients */
	msg = open_for_writing(env, mid);
	set_prop(&msg->obj, PIDTAG_HTML, mapi_value_bin("<p>new</p>", 10));
	set_prop(&msg->obj, PIDTAG_RTF_IN_SYNC, mapi_value_bool(TRUE));
	save(msg);
	again = message_env_open(env, mid);
	assert_bodies(env, again, "new\r\n", "<p>new</p>", 3, FALSE);
}

static void test_replace(void **state)
{
	message_for_all_drivers(replace);
}

/* --- attachments ------------------------------------------------------------ */

static struct mapi_attachment *
add_image(struct message_env *env, struct mapi_message *msg, int position)
{
	struct mapi_attachment *attachment;

	assert_int_equal(mapi_attachment_create(env->mem, msg, &attachment),
			 EC_NONE);
	set_prop(&attachment->obj, PIDTAG_ATTACH_METHOD, mapi_value_i32(1));
	set_prop(&attachment->obj, PIDTAG_ATTACH_LONG_FILENAME,
		 mapi_value_str("image.png"));
	set_prop(&attachment->obj, PIDTAG_ATTACH_DATA_BINARY,
		 mapi_value_bin("PNG", 3));
	set_prop(&attachment->obj, PIDTAG_RENDERING_POSITION,
		 mapi_value_i32(position));
	assert_int_equal(mapi_attachment_save(attachment), EC_NONE);
	return attachment;
}

static void attachments(struct message_env *env)
{
	static const struct message_expected expected[] = {
		{ PIDTAG_ATTACH_LONG_FILENAME, "image.png" },
		{ PIDTAG_RENDERING_POSITION, "7" },
		{ PIDTAG_ATTACHMENT_HIDDEN, "no" },
		{ PIDTAG_ATTACH_DATA_BINARY, "504e47" },
	};
	struct mapi_message *msg = new_message(env);
	struct mapi_attachment *attachment;
	struct rtf rtf;
	unsigned int i;
	mapi_id_t mid;

	set_rtf(env, msg, "{\\rtf1 x \\objattph\\'20 y}", &rtf);
	attachment = add_image(env, msg, 7);
	set_prop(&attachment->obj, PIDTAG_ATTACHMENT_HIDDEN,
		 mapi_value_bool(FALSE));
	assert_int_equal(mapi_attachment_save(attachment), EC_NONE);
	mid = save(msg);
	/* and again when something else has changed */
	for (i = 0; i < 2; i++) {
		msg = open_for_writing(env, mid);
		assert_rtf(env, msg, &rtf);
		assert_bodies(env, msg, "x <<image.png>> y",
			      "x <img src=\"cid:", 2, TRUE);
		assert_true(get_prop(env, msg, PIDTAG_HAS_ATTACHMENTS).u.b);
		assert_int_equal(mapi_attachment_open(env->mem, msg, 0,
						      &attachment), EC_NONE);
		ASSERT_PROPS(&attachment->obj, expected);
		set_prop(&msg->obj, PIDTAG_SUBJECT, mapi_value_str("other"));
		save(msg);
	}
	/* one that hasn't said whether it's hidden isn't */
	msg = new_message(env);
	set_rtf(env, msg, "{\\rtf1 x \\objattph\\'20 y}", &rtf);
	add_image(env, msg, 7);
	msg = message_env_open(env, save(msg));
	assert_bodies(env, msg, "x <<image.png>> y", "x <img src=\"cid:", 2,
		      TRUE);
	assert_true(get_prop(env, msg, PIDTAG_HAS_ATTACHMENTS).u.b);
}

static void test_attachments(void **state)
{
	message_for_all_drivers(attachments);
}

/* --- reading ---------------------------------------------------------------- */

#define TEXT_MAIL "Subject: x\r\n\r\nbody {1}\r\n"
#define HTML_MAIL "Subject: x\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: text/html; charset=windows-1252\r\n\r\n<p>gr\xfc\xdf</p>"

/* [MS-OXCMSG] 3.2.4.1 */
static void test_derived(void **state)
{
	const uint32_t tags[] = {
		PIDTAG_BODY, PIDTAG_RTF_COMPRESSED, PIDTAG_HTML,
		PIDTAG_RTF_IN_SYNC, PIDTAG_NATIVE_BODY,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mapi_message *msg;
	struct mapi_stream *stream;
	struct message_env env;
	const uint32_t *list;
	string_t *large = str_new(default_pool, 200000);
	unsigned int i, count;
	size_t html_size;
	uint64_t size;
	char *html;

	message_env_init(&env, "sdbox");
	msg = message_env_open(&env, message_env_save(&env, TEXT_MAIL, 0, NULL));
	assert_non_null(strstr(derived_rtf(&env, msg), "body \\{1\\}\\par"));
	assert_int_equal(rtf_kind((const uint8_t *)derived_rtf(&env, msg),
				  strlen(derived_rtf(&env, msg))),
			 RTF_KIND_TEXT);
	/* nobody's best body, and listed for nobody */
	assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem, tags,
			N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_int_equal(values[1].type, PTYP_BINARY);
	assert_false(values[3].u.b);
	assert_int_equal(values[4].u.i32, MIME_NATIVE_PLAIN);
	assert_int_equal(msg->obj.v->list_props(&msg->obj, env.mem, &list,
						&count), EC_NONE);
	for (i = 0; i < count; i++)
		assert_int_not_equal(list[i], PIDTAG_RTF_COMPRESSED);

	msg = message_env_open(&env, message_env_save(&env, HTML_MAIL, 0, NULL));
	assert_int_equal(rtf_to_html(env.mem,
		(const uint8_t *)derived_rtf(&env, msg),
		strlen(derived_rtf(&env, msg)), NULL, &html, &html_size), 0);
	assert_string_equal(html, "<p>gr\xc3\xbc\xc3\x9f</p>");

	/* too large for a value, but not for a stream */
	str_append(large, "Subject: x\r\n\r\n");
	for (i = 0; i < 20000; i++)
		str_printfa(large, "line %u\r\n", i * 7919);
	msg = message_env_open(&env, message_env_save(&env, str_c(large), 0,
						      NULL));
	assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem, &tags[1], 1,
					       4096, values), EC_NONE);
	assert_int_equal(values[0].type, PTYP_ERROR_CODE);
	assert_int_equal(values[0].u.error, EC_NOT_ENOUGH_MEMORY);
	assert_int_equal(msg->obj.v->open_stream(&msg->obj, env.mem,
			PIDTAG_RTF_COMPRESSED, &stream), EC_NONE);
	assert_int_equal(mapi_stream_size(stream, &size), EC_NONE);
	assert_true(size > 4096);
	str_free(&large);
	message_env_deinit(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_save_alone),
		cmocka_unit_test(test_save_text),
		cmocka_unit_test(test_save_several),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_derived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
