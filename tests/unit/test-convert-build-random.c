/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME and back, with what nobody would write by hand. Values that have a
   standard form come back as they were; others break nothing. The same seed
   makes the same messages: SEED=n for others, ROUNDS=n for more of them. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "unichar.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "mapi-recipient.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAX_DEPTH 3

static uint64_t random_state;

static uint32_t rnd(uint32_t limit)
{
	/* [xorshift64*] */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 2685821657736338717ULL) >> 33) %
		limit;
}

/* --- values that have a standard form --------------------------------------- */

static unichar_t random_char(unsigned int kind)
{
	static const char ascii[] = "abcdefghijklmnopqrstuvwxyz0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>@[\\]^_`{|}~";

	switch (kind) {
	case 0:
		return 'a' + rnd(26);
	case 1:
		return ascii[rnd(sizeof(ascii) - 1)];
	case 2:
		return rnd(4) == 0 ? 0xa1 + rnd(0x500) : 'a' + rnd(26);
	case 3:
		return 0x4e00 + rnd(0x5000);
	}
	return 0x1f300 + rnd(0x300);
}

/* Words with one blank between them, on the data stack */
static const char *t_words(unsigned int max_words)
{
	string_t *str = t_str_new(64);
	unsigned int i, j, kind = rnd(5), words = 1 + rnd(max_words);

	for (i = 0; i < words; i++) {
		if (i > 0)
			str_append_c(str, ' ');
		for (j = 1 + rnd(12); j > 0; j--)
			uni_ucs4_to_utf8_c(random_char(kind), str);
	}
	return str_c(str);
}

/* of the letters that words in structured fields have */
static const char *t_word(void)
{
	string_t *str = t_str_new(16);
	unsigned int j;

	for (j = 1 + rnd(10); j > 0; j--)
		str_append_c(str, 'a' + rnd(26));
	return str_c(str);
}

static const char *t_address(void)
{
	static const char special[] = "!#$%&'*+-/=?^_`{|}~ @,;:<>()";
	string_t *str = t_str_new(64);

	str_append(str, t_word());
	while (rnd(3) == 0) {
		str_append_c(str, special[rnd(sizeof(special) - 1)]);
		str_append(str, t_word());
	}
	str_printfa(str, "@%s.example.com", t_word());
	return str_c(str);
}

static const char *t_text(void)
{
	string_t *str = t_str_new(256);
	unsigned int i;

	for (i = rnd(20); i > 0; i--) {
		if (rnd(8) == 0)
			str_append(str, "From ");
		if (rnd(8) == 0)
			str_append_c(str, '.');
		if (rnd(3) != 0)
			str_append(str, t_words(30));
		if (rnd(10) == 0)
			str_append(str, " \t ");
		if (rnd(20) != 0)
			str_append(str, "\r\n");
	}
	return str_c(str);
}

static void set_str(struct mapi_propset *props, uint32_t tag, const char *str)
{
	struct mapi_value value = mapi_value_str(str);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_int(struct mapi_propset *props, uint32_t tag, int32_t i)
{
	struct mapi_value value = mapi_value_i32(i);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_random_bin(struct mapi_propset *props, uint32_t tag,
			   size_t max)
{
	size_t i, size = rnd(max);
	unsigned char *data = t_malloc_no0(size + 1);
	bool text = rnd(2) == 0;
	struct mapi_value value;

	for (i = 0; i < size; i++) {
		if (!text)
			data[i] = rnd(256);
		else if (rnd(40) != 0)
			data[i] = ' ' + rnd(90);
		else
			data[i] = "\r\n\t\xe4"[rnd(4)];
	}
	value = mapi_value_bin(data, size);
	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void
set_person(struct mapi_propset *props, uint32_t name_tag, uint32_t type_tag,
	   uint32_t email_tag, uint32_t smtp_tag)
{
	const char *address = t_address();

	set_str(props, name_tag, rnd(4) == 0 ? address : t_words(4));
	set_str(props, type_tag, "SMTP");
	set_str(props, email_tag, address);
	set_str(props, smtp_tag, address);
}

static void random_props(struct mapi_propset *props)
{
	static const int32_t codepages[] = { 65001, 1252, 1251, 932 };
	struct mapi_value value;
	bool html;

	set_person(props, PIDTAG_SENT_REPRESENTING_NAME,
		   PIDTAG_SENT_REPRESENTING_ADDRESS_TYPE,
		   PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
		   PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS);
	if (rnd(2) == 0) {
		set_person(props, PIDTAG_SENDER_NAME,
			   PIDTAG_SENDER_ADDRESS_TYPE,
			   PIDTAG_SENDER_EMAIL_ADDRESS,
			   PIDTAG_SENDER_SMTP_ADDRESS);
	}
	set_str(props, PIDTAG_SUBJECT, t_words(30));
	set_str(props, PIDTAG_CONVERSATION_TOPIC, t_words(10));
	if (rnd(2) == 0) {
		set_str(props, PIDTAG_INTERNET_MESSAGE_ID, t_strdup_printf(
			"<%s@%s>", t_word(), t_word()));
	}
	if (rnd(2) == 0) {
		set_str(props, PIDTAG_INTERNET_REFERENCES, t_strdup_printf(
			"<%s@%s> <%s@x>", t_word(), t_word(), t_word()));
	}
	set_int(props, PIDTAG_IMPORTANCE, rnd(3));
	set_int(props, PIDTAG_PRIORITY, (int)rnd(3) - 1);
	set_int(props, PIDTAG_SENSITIVITY, rnd(4));
	if (rnd(2) == 0)
		set_int(props, PIDTAG_AUTO_RESPONSE_SUPPRESS, rnd(64));
	value = mapi_value_time(mapi_time_from_unix(rnd(2000000000), 0));
	assert_true(mapi_propset_set_value(props, PIDTAG_CLIENT_SUBMIT_TIME,
					   &value));
	value = mapi_value_time(mapi_time_from_unix(rnd(2000000000), 0));
	if (rnd(2) == 0)
		assert_true(mapi_propset_set_value(props, PIDTAG_EXPIRY_TIME,
						   &value));
	html = rnd(2) == 0;
	if (html) {
		/* bytes of any kind, but with a code page that takes all */
		set_random_bin(props, PIDTAG_HTML, 20000);
		if (mapi_propset_get(props, PIDTAG_HTML)->u.bin.len == 0)
			mapi_propset_remove(props, PIDTAG_HTML);
		set_int(props, PIDTAG_INTERNET_CODEPAGE,
			codepages[1 + rnd(3)]);
	}
	if (!html || rnd(2) == 0)
		set_str(props, PIDTAG_BODY, t_text());
}

static void random_recipients(struct mapi_content *content)
{
	struct mapi_content_recipient *recipient;
	unsigned int i, type, row_id = 0;

	for (type = MAPI_TO; type <= MAPI_BCC; type++) {
		for (i = rnd(4); i > 0; i--) {
			recipient = mapi_content_add_recipient(content,
							       row_id++);
			set_int(recipient->props, PIDTAG_RECIPIENT_TYPE, type);
			set_person(recipient->props, PIDTAG_DISPLAY_NAME,
				   PIDTAG_ADDRESS_TYPE, PIDTAG_EMAIL_ADDRESS,
				   PIDTAG_SMTP_ADDRESS);
		}
	}
}

static void random_content(struct mapi_content *content, unsigned int depth);

static void random_attachment(struct mapi_content *content, unsigned int depth)
{
	static const char *const types[] = {
		"text/plain", "text/csv", "image/png", "application/pdf",
		"application/x-random", "text/html",
	};
	struct mapi_content_attachment *att;

	att = mapi_content_add_attachment(content, content->attachment_count);
	if (depth < MAX_DEPTH && rnd(4) == 0) {
		set_int(att->props, PIDTAG_ATTACH_METHOD, 5);
		att->embedded = mapi_content_create(content);
		random_content(att->embedded, depth + 1);
		return;
	}
	set_int(att->props, PIDTAG_ATTACH_METHOD, 1);
	set_str(att->props, PIDTAG_ATTACH_LONG_FILENAME, t_strconcat(
		t_word(), t_strcut(t_strcut(t_words(1), '/'), '\\'),
		rnd(2) == 0 ? ".txt" : ".pdf", NULL));
	set_str(att->props, PIDTAG_ATTACH_MIME_TAG,
		types[rnd(N_ELEMENTS(types))]);
	set_random_bin(att->props, PIDTAG_ATTACH_DATA_BINARY,
		       rnd(10) == 0 ? 200000 : 1000);
}

static void random_content(struct mapi_content *content, unsigned int depth)
{
	unsigned int i;

	T_BEGIN {
		random_props(content->props);
	} T_END;
	T_BEGIN {
		random_recipients(content);
	} T_END;
	for (i = rnd(4); i > 0; i--) T_BEGIN {
		random_attachment(content, depth);
	} T_END;
}

/* --- they come back --------------------------------------------------------- */

static const char *t_sanitized(const char *name)
{
	char *p, *copy = t_strdup_noconst(name);

	for (p = copy; *p != '\0'; p++) {
		if (strchr("/:*?\"<>|", *p) != NULL)
			*p = '_';
	}
	return copy;
}

static void
check_propset(const struct mapi_propset *before,
	      const struct mapi_propset *after, uint64_t seed)
{
	const struct mapi_content_prop *prop, *other;
	unsigned int i;

	for (i = 0; i < before->count; i++) T_BEGIN {
		prop = &before->props[i];
		other = mapi_propset_find(after, prop->tag);
		if (other == NULL) {
			fail_msg("seed %"PRIu64": %08x is lost", seed,
				 prop->tag);
		} else if (prop->tag == PIDTAG_ATTACH_LONG_FILENAME) {
			assert_string_equal(other->value.u.str,
					    t_sanitized(prop->value.u.str));
		} else if (mapi_content_prop_equal(prop, other) != 1) {
			fail_msg("seed %"PRIu64": %08x is %s instead of %s",
				 seed, prop->tag,
				 other->value.type == PTYP_STRING ?
				 other->value.u.str : "other bytes",
				 prop->value.type == PTYP_STRING ?
				 prop->value.u.str : "bytes");
		}
	} T_END;
}

static void
check_content(const struct mapi_content *before,
	      const struct mapi_content *after, uint64_t seed)
{
	unsigned int i;

	check_propset(before->props, after->props, seed);
	assert_int_equal(before->recipient_count, after->recipient_count);
	for (i = 0; i < before->recipient_count; i++) {
		check_propset(before->recipients[i].props,
			      after->recipients[i].props, seed);
	}
	assert_int_equal(before->attachment_count, after->attachment_count);
	for (i = 0; i < before->attachment_count; i++) {
		check_propset(before->attachments[i].props,
			      after->attachments[i].props, seed);
		if (before->attachments[i].embedded != NULL) {
			assert_non_null(after->attachments[i].embedded);
			check_content(before->attachments[i].embedded,
				      after->attachments[i].embedded, seed);
		}
	}
}

static unsigned int rounds(unsigned int count)
{
	const char *env = getenv("ROUNDS");

	return env == NULL ? count : (unsigned int)atoi(env);
}

static uint64_t seed_init(unsigned int round)
{
	const char *env = getenv("SEED");
	uint64_t seed = (env == NULL ? 1 : strtoull(env, NULL, 10)) + round;

	random_state = seed * 0x9e3779b97f4a7c15ULL;
	return seed;
}

static void test_round_trip(void **state)
{
	struct mapi_content *before, *after;
	TALLOC_CTX *mem;
	buffer_t *buf, *again;
	unsigned int i, count = rounds(300);
	uint64_t seed;

	for (i = 0; i < count; i++) {
		seed = seed_init(i);
		mem = talloc_new(NULL);
		before = mapi_content_create(mem);
		random_content(before, 0);
		buf = test_build(before, NULL);
		if (test_message_check(buf) != NULL) {
			fail_msg("seed %"PRIu64": %s", seed,
				 test_message_check(buf));
		}
		after = test_derive(mem, buf->data, buf->used);
		check_content(before, after, seed);
		again = test_build(before, NULL);
		assert_true(buffer_cmp(buf, again));
		buffer_free(&again);
		buffer_free(&buf);
		talloc_free(mem);
	}
}

/* --- hostile values --------------------------------------------------------- */

#define INJECTED "\r\nInjected: yes\r\n\r\n--=_000001_\r\n"

static const char *t_hostile(void)
{
	static const char *const pieces[] = {
		INJECTED, "\r\nInjected: yes", "\nInjected: yes\n",
		"\rInjected: yes\r", "\r\n\r\n", "\xff", "\xc3", "\xed\xa0\x80",
		"\x01", "\x7f", "=?utf-8?q?=0AInjected:_yes?=", "\"", "\\", "<",
		">", "@", ",", ";", ":", "(", ")", "[", "]", "=", "?", " ",
		"\t", "\xe2\x80\xa8", "x", "\xc3\xa4",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	};
	string_t *str = t_str_new(256);
	unsigned int i;

	for (i = rnd(rnd(20) == 0 ? 200 : 12); i > 0; i--)
		str_append(str, pieces[rnd(N_ELEMENTS(pieces))]);
	return str_c(str);
}

static void hostile_props(struct mapi_propset *props)
{
	static const uint32_t tags[] = {
		PIDTAG_MESSAGE_CLASS, PIDTAG_TRANSPORT_MESSAGE_HEADERS,
		PIDTAG_READ_RECEIPT_NAME, PIDTAG_READ_RECEIPT_EMAIL_ADDRESS,
		PIDTAG_IN_REPLY_TO_ID, PIDTAG_INTERNET_ORGANIZATION,
		PIDTAG_LIST_HELP, PIDTAG_BODY_CONTENT_ID,
		PIDTAG_BODY_CONTENT_LOCATION, PIDTAG_REPORT_DISPOSITION_MODE,
		PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT,
		PIDTAG_ORIGINAL_MESSAGE_ID, PIDTAG_REPLY_RECIPIENT_NAMES,
		PIDTAG_SENT_REPRESENTING_ADDRESS_TYPE, PIDTAG_ADDRESS_TYPE,
		PIDTAG_EMAIL_ADDRESS, PIDTAG_SUPPLEMENTARY_INFO,
		PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT, PIDTAG_DISPLAY_NAME,
		PIDTAG_ATTACH_MIME_TAG, PIDTAG_ATTACH_LONG_FILENAME,
		PIDTAG_ATTACH_CONTENT_ID, PIDTAG_ATTACH_CONTENT_LOCATION,
		PIDTAG_TEXT_ATTACHMENT_CHARSET, PIDTAG_ATTACH_EXTENSION,
	};
	static const char *const classes[] = {
		"IPM.Note.SMIME", "IPM.Note.SMIME.MultipartSigned",
		"REPORT.IPM.Note.NDR", "REPORT.IPM.Note.IPNRN",
	};
	const struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_INTERNET_HEADERS,
		.name = t_hostile(),
	};
	const struct mapi_content_prop named = {
		.tag = MAPI_TAG(0x8000 + rnd(9), PTYP_STRING), .name = &name,
		.value = mapi_value_str(t_hostile()),
	};
	unsigned int i;

	for (i = 0; i < props->count; i++) {
		if (props->props[i].value.type == PTYP_STRING && rnd(3) == 0)
			set_str(props, props->props[i].tag, t_hostile());
	}
	for (i = rnd(10); i > 0; i--)
		set_str(props, tags[rnd(N_ELEMENTS(tags))], t_hostile());
	set_int(props, PIDTAG_ATTACH_FLAGS, rnd(8));
	set_int(props, PIDTAG_INTERNET_CODEPAGE, rnd(70000));
	if (rnd(4) == 0)
		set_int(props, PIDTAG_ATTACH_METHOD, rnd(8));
	if (rnd(4) == 0) {
		set_str(props, PIDTAG_MESSAGE_CLASS,
			classes[rnd(N_ELEMENTS(classes))]);
	}
	set_random_bin(props, PIDTAG_REPLY_RECIPIENT_ENTRIES, 50);
	set_random_bin(props, PIDTAG_CONVERSATION_INDEX, 50);
	assert_true(mapi_propset_set(props, &named));
}

static void hostile_content(struct mapi_content *content)
{
	unsigned int i;

	T_BEGIN {
		hostile_props(content->props);
	} T_END;
	for (i = 0; i < content->recipient_count; i++) T_BEGIN {
		hostile_props(content->recipients[i].props);
	} T_END;
	for (i = 0; i < content->attachment_count; i++) T_BEGIN {
		hostile_props(content->attachments[i].props);
		if (content->attachments[i].embedded != NULL)
			hostile_content(content->attachments[i].embedded);
	} T_END;
}

/* Fields that the received header has by right */
static bool says_injected(const struct mapi_content *content)
{
	const char *headers =
		mapi_propset_get_string(content->props,
					PIDTAG_TRANSPORT_MESSAGE_HEADERS);

	return headers != NULL && strstr(headers, "Injected: ") != NULL;
}

static void test_hostile(void **state)
{
	struct mapi_content *before, *after;
	const char *error, *end, *header;
	TALLOC_CTX *mem;
	buffer_t *buf;
	unsigned int i, count = rounds(600);
	uint64_t seed;

	for (i = 0; i < count; i++) T_BEGIN {
		seed = seed_init(i);
		mem = talloc_new(NULL);
		before = mapi_content_create(mem);
		random_content(before, 1);
		hostile_content(before);
		buf = test_build(before, NULL);
		error = test_message_check(buf);
		/* signed content is written as it is, whatever it is */
		if (error != NULL)
			fail_msg("seed %"PRIu64": %s", seed, error);
		end = strstr(str_c(buf), "\r\n\r\n");
		header = t_strdup_until(buf->data, end);
		if (!says_injected(before) &&
		    strstr(header, "\r\nInjected:") != NULL)
			fail_msg("seed %"PRIu64":\n%s", seed, header);
		after = test_derive(mem, buf->data, buf->used);
		assert_non_null(mapi_propset_find(after->props,
						  PIDTAG_MESSAGE_CLASS));
		buffer_free(&buf);
		talloc_free(mem);
	} T_END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_hostile),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: random", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
