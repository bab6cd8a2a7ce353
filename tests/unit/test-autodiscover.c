/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Autodiscover's answers: who is found, who is sent elsewhere, and what isn't a
   request. */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "str.h"
#include "mapi-props.h"
#include "snapshot.h"
#include "snapshot-build.h"
#include "autodiscover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define XML "/autodiscover/autodiscover.xml"
#define JSON "/autodiscover/autodiscover.json"
#define REQUEST_NS "http://schemas.microsoft.com/exchange/autodiscover/" \
	"outlook/requestschema/2006"
#define SCHEMA "http://schemas.microsoft.com/exchange/autodiscover/outlook/" \
	"responseschema/2006a"
#define DN "/o=Org/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/" \
	"cn=Recipients/cn="

static struct autodiscover_settings set = {
	.external_url = "https://mail.example.org",
	.organization = "Org",
};
static struct snapshot *directory;
static char path[] = "/tmp/test-autodiscover.XXXXXX";

/* --- the directory ----------------------------------------------------------- */

struct person {
	enum directory_kind kind;
	const char *name, *username, *address, *alias, *target;
	/* number of who gets it opened beside his own mailbox, and one more */
	unsigned int mapped_to;
};

static const struct person people[] = {
	{ DIRECTORY_USER, "Alice <&> \"Adams\"", "alice@example.org",
	  "alice@example.org", "sales@example.org", NULL },
	{ DIRECTORY_USER, "Bob", "bob@example.org", "bob@example.org", NULL,
	  NULL },
	{ DIRECTORY_GROUP, "All", NULL, "all@example.org", NULL,
	  "SMTP:all@example.com" },
	{ DIRECTORY_ROOM, "Room", "room@example.org", "room@example.org", NULL,
	  NULL, 1 },
	/* no mailboxes, so nobody is told of them */
	{ DIRECTORY_GROUP, "Everybody", NULL, "everybody@example.org", NULL,
	  NULL, 1 },
	{ DIRECTORY_USER, "No name", NULL, "noname@example.org", NULL, NULL,
	  1 },
	/* elsewhere */
	{ DIRECTORY_CONTACT, "Carl", NULL, "carl@example.net",
	  "carl@example.org", NULL },
	{ DIRECTORY_CONTACT, "Dora", NULL, "dora@example.org", NULL,
	  "SMTP:dora@partner.example" },
	{ DIRECTORY_USER, "Moved", "moved@example.org", "moved@example.org",
	  NULL, "smtp:moved@cloud.example" },
	{ DIRECTORY_CONTACT, "By X.400", NULL, "x400@example.org", NULL,
	  "X400:c=DE;a= " },
	{ DIRECTORY_CONTACT, "Has moved here", NULL, "old@example.org", NULL,
	  "bob@example.org" },
	{ DIRECTORY_CONTACT, "To a contact", NULL, "step@example.org", NULL,
	  "SMTP:dora@example.org" },
	{ DIRECTORY_CONTACT, "To a known contact", NULL, "known@example.org",
	  NULL, "SMTP:carl@example.net" },
	{ DIRECTORY_CONTACT, "To a group", NULL, "togroup@example.org", NULL,
	  "SMTP:all@example.org" },
	/* here after all */
	{ DIRECTORY_USER, "Renamed", "renamed@example.org",
	  "renamed@example.org", "new@example.org", "SMTP:new@example.org" },
	/* in circles */
	{ DIRECTORY_CONTACT, "Ping", NULL, "ping@example.org", NULL,
	  "SMTP:pong@example.org" },
	{ DIRECTORY_CONTACT, "Pong", NULL, "pong@example.org", NULL,
	  "SMTP:PING@example.org" },
	{ DIRECTORY_CONTACT, "Self", NULL, "self@example.org", NULL,
	  "SMTP:self@example.org" },
};

static void
person_add(struct snapshot_builder *builder, const struct person *person,
	   unsigned int i)
{
	const char *addresses[2] = { person->address, person->alias };
	struct mapi_property target;
	struct directory_link mapped;
	struct directory_object object;

	i_zero(&object);
	object.id[0] = i + 1;
	object.kind = person->kind;
	object.dn = t_strdup_printf("cn=%u,dc=example", i);
	object.display_name = person->name;
	object.username = person->username;
	object.address = person->address;
	object.addresses = addresses;
	object.addresses_count = person->alias == NULL ? 1 : 2;
	object.legacy_dn = t_strconcat(DN, person->address, NULL);
	if (person->target != NULL) {
		target.tag = PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS;
		target.value = mapi_value_str(person->target);
		object.props = &target;
		object.props_count = 1;
	}
	if (person->mapped_to > 0) {
		mapped.tag = DIRECTORY_LINK_AUTOMAPPING;
		mapped.dn = t_strdup_printf("cn=%u,dc=example",
					    person->mapped_to - 1);
		object.links = &mapped;
		object.links_count = 1;
	}
	snapshot_builder_update(builder, &object);
}

static int setup(void **state)
{
	static const char *const locales[] = { "en", NULL };
	struct snapshot_settings set = { .path = path, .locales = locales };
	struct snapshot_builder *builder;
	const char *error;
	int fd;

	if ((fd = mkstemp(path)) == -1)
		return -1;
	i_close_fd(&fd);
	i_unlink(path);
	builder = snapshot_builder_init(&set);
	for (unsigned int i = 0; i < N_ELEMENTS(people); i++) T_BEGIN {
		person_add(builder, &people[i], i);
	} T_END;
	assert_int_equal(snapshot_builder_write(builder, NULL, 0, &error), 0);
	snapshot_builder_deinit(&builder);
	assert_int_equal(snapshot_open(path, &directory, &error), 1);
	return 0;
}

static int teardown(void **state)
{
	snapshot_unref(&directory);
	i_unlink(path);
	return 0;
}

/* --- requests ------------------------------------------------------------------ */

static void
handle(struct snapshot *snapshot, const char *url_path, const char *query,
       const char *username, const void *body, size_t size,
       struct autodiscover_response *resp_r)
{
	const char *fields[] = {
		t_strconcat("path=", url_path, NULL),
		t_strconcat("query=", query, NULL),
		"method=POST", "host=autodiscover.example.org",
		username == NULL ? NULL : t_strconcat("user=", username, NULL),
		NULL
	};

	autodiscover_handle(&set, snapshot, fields, body, size, resp_r);
}

static const char *pox(const char *inner)
{
	return t_strdup_printf("<?xml version=\"1.0\" encoding=\"utf-8\"?>"
		"<Autodiscover xmlns=\""REQUEST_NS"\"><Request>%s"
		"<AcceptableResponseSchema>"SCHEMA"</AcceptableResponseSchema>"
		"</Request></Autodiscover>", inner);
}

static const char *
ask_in(struct snapshot *snapshot, const char *username, const char *body)
{
	struct autodiscover_response resp;

	handle(snapshot, XML, "", username, body, strlen(body), &resp);
	assert_int_equal(resp.status, 200);
	assert_string_equal(resp.content_type, "text/xml; charset=utf-8");
	return resp.body;
}

static const char *ask(const char *address)
{
	return ask_in(directory, "alice@example.org", pox(t_strdup_printf(
		"<EMailAddress>%s</EMailAddress>", address)));
}

/* What is in an element of an answer, NULL if it isn't there */
static const char *element(const char *xml, const char *name)
{
	const char *start, *end;

	start = strstr(xml, t_strdup_printf("<%s>", name));
	if (start == NULL)
		return NULL;
	start += strlen(name) + 2;
	end = strstr(start, t_strdup_printf("</%s>", name));
	assert_non_null(end);
	return t_strdup_until(start, end);
}

static void assert_error(const char *xml, const char *code)
{
	assert_non_null(element(xml, "ErrorCode"));
	assert_string_equal(element(xml, "ErrorCode"), code);
	assert_null(element(xml, "Action"));
	/* [MS-OXDSCLI] 2.2.4.1.1.3: these are required, too */
	assert_non_null(element(xml, "Message"));
	assert_non_null(strstr(xml, "<DebugData />"));
}

/* --- tests ---------------------------------------------------------------------- */

static void test_settings(void **state)
{
	static const char *const addresses[] = {
		"alice@example.org", "ALICE@example.ORG", "sales@example.org",
		" alice@example.org\n",
	};

	for (unsigned int i = 0; i < N_ELEMENTS(addresses); i++) {
		const char *xml = ask(addresses[i]);

		assert_string_equal(element(xml, "Action"), "settings");
		assert_string_equal(element(xml, "AutoDiscoverSMTPAddress"),
				    "alice@example.org");
		assert_string_equal(element(xml, "DisplayName"),
				    "Alice &lt;&amp;&gt; &quot;Adams&quot;");
		assert_string_equal(element(xml, "LegacyDN"),
				    DN "alice@example.org");
		assert_non_null(strstr(xml, "<Protocol Type=\"mapiHttp\" "
				       "Version=\"1\">"));
		assert_non_null(strstr(xml, "https://mail.example.org/mapi/"
				       "emsmdb/?MailboxId="));
	}
	assert_string_equal(element(ask("room@example.org"), "DisplayName"),
			    "Room");
	assert_string_equal(element(ask("new@example.org"), "DisplayName"),
			    "Renamed");
	/* LegacyDN goes first, and an empty one isn't one */
	assert_string_equal(element(ask_in(directory, "alice@example.org",
		pox("<EMailAddress>alice@example.org</EMailAddress>"
		    "<LegacyDN>" DN "BOB@example.org</LegacyDN>")),
		"DisplayName"), "Bob");
	assert_string_equal(element(ask_in(directory, "alice@example.org",
		pox("<EMailAddress>bob@example.org</EMailAddress>"
		    "<LegacyDN> </LegacyDN>")), "DisplayName"), "Bob");
}

static void test_without_directory(void **state)
{
	const char *xml;

	xml = ask_in(NULL, "eve@example.org",
		     pox("<EMailAddress>Eve@example.org</EMailAddress>"));
	assert_string_equal(element(xml, "AutoDiscoverSMTPAddress"),
			    "Eve@example.org");
	assert_string_equal(element(xml, "LegacyDN"), DN "eve@example.org");
	xml = ask_in(directory, "eve@example.org",
		     pox("<LegacyDN>" DN "eve@example.org</LegacyDN>"));
	assert_string_equal(element(xml, "AutoDiscoverSMTPAddress"),
			    "eve@example.org");
	assert_error(ask_in(NULL, "eve@example.org",
		pox("<EMailAddress>bob@example.org</EMailAddress>")), "500");

	/* users without a domain */
	xml = ask_in(NULL, "eve",
		     pox("<EMailAddress>EVE@example.org</EMailAddress>"));
	assert_string_equal(element(xml, "AutoDiscoverSMTPAddress"),
			    "EVE@example.org");
	assert_string_equal(element(xml, "LegacyDN"), DN "eve");
	assert_error(ask_in(NULL, "eve",
		pox("<EMailAddress>eva@example.org</EMailAddress>")), "500");
	/* another one's, if the directory knows it */
	xml = ask_in(directory, "alice",
		     pox("<EMailAddress>bob@example.org</EMailAddress>"));
	assert_string_equal(element(xml, "DisplayName"), "Bob");
}

static void test_automapping(void **state)
{
	const char *xml;

	assert_null(strstr(ask("alice@example.org"), "<AlternativeMailbox>"));
	set.automapping = TRUE;
	xml = ask("sales@example.org");
	xml = element(xml, "AlternativeMailbox");
	assert_non_null(xml);
	assert_string_equal(element(xml, "Type"), "Delegate");
	assert_string_equal(element(xml, "DisplayName"), "Room");
	assert_string_equal(element(xml, "SmtpAddress"), "room@example.org");
	xml = ask("alice@example.org");
	xml = strstr(xml, "<AlternativeMailbox>") + 1;
	assert_null(strstr(xml, "<AlternativeMailbox>"));
	/* nobody else is told, not even by asking for hers */
	assert_null(strstr(ask("bob@example.org"), "<AlternativeMailbox>"));
	assert_null(strstr(ask_in(directory, "bob@example.org",
		pox("<EMailAddress>alice@example.org</EMailAddress>")),
		"<AlternativeMailbox>"));
	assert_null(strstr(ask_in(NULL, "eve@example.org",
		pox("<EMailAddress>eve@example.org</EMailAddress>")),
		"<AlternativeMailbox>"));
	set.automapping = FALSE;
}

static void test_redirects(void **state)
{
	static const struct {
		const char *asked, *target;
	} tests[] = {
		{ "carl@example.org", "carl@example.net" },
		{ "dora@example.org", "dora@partner.example" },
		{ "moved@example.org", "moved@cloud.example" },
		{ "old@example.org", "bob@example.org" },
		{ "step@example.org", "dora@partner.example" },
		{ "known@example.org", "carl@example.net" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		const char *xml = ask(tests[i].asked);

		assert_string_equal(element(xml, "Action"), "redirectAddr");
		assert_string_equal(element(xml, "RedirectAddr"),
				    tests[i].target);
		assert_null(element(xml, "User"));
		assert_null(strstr(xml, "<Protocol"));
	}
	assert_string_equal(element(ask_in(directory, "alice@example.org",
		pox("<LegacyDN>" DN "carl@example.net</LegacyDN>")),
		"RedirectAddr"), "carl@example.net");
}

static void test_no_mailbox(void **state)
{
	static const char *const known[] = {
		"all@example.org", "carl@example.net", "x400@example.org",
		"self@example.org", "togroup@example.org",
		"everybody@example.org", "noname@example.org",
	};
	static const char *const unknown[] = {
		"nobody@example.org", "x", "@", "a@", "alice@example.org.",
		"&#xe4;@example.org",
	};

	for (unsigned int i = 0; i < N_ELEMENTS(known); i++)
		assert_error(ask(known[i]), "501");
	for (unsigned int i = 0; i < N_ELEMENTS(unknown); i++)
		assert_error(ask(unknown[i]), "500");
	assert_error(ask("ping@example.org"), "602");
	assert_error(ask("pong@example.org"), "602");
}

static void test_invalid_requests(void **state)
{
	const char *good = pox("<EMailAddress>bob@example.org</EMailAddress>");
	const char *body = good + strlen("<?xml version=\"1.0\" "
					 "encoding=\"utf-8\"?>");
	string_t *deep = t_str_new(65536), *large = t_str_new(70000);

	for (unsigned int i = 0; i < 10000; i++)
		str_append(deep, "<a>");
	str_append(large, "<EMailAddress>bob@example.org</EMailAddress><!--");
	while (str_len(large) < 65536)
		str_append_c(large, 'x');
	str_append(large, "-->");

	const char *const bad[] = {
		"", " ", "hello", "<", "<a", "<a/>", "<?xml version=\"1.0\"?>",
		pox(""), pox("<EMailAddress/>"), t_strndup(good, 250),
		t_strconcat(good, "x", NULL), t_strconcat("\n", good, NULL),
		/* what is understood must be the whole request */
		pox("<EMailAddress>a</EMailAddress><b>"),
		pox("<b><EMailAddress>bob@example.org</EMailAddress></b>"),
		str_c(deep), pox(str_c(large)),
		/* documents with a DTD aren't requests at all */
		t_strconcat("<!DOCTYPE a>", body, NULL),
		t_strconcat("<!DOCTYPE Autodiscover SYSTEM "
			    "\"file:///etc/passwd\">", body, NULL),
		t_strconcat("<!DOCTYPE a [<!ENTITY b \"bob@example.org\">]>",
			    "<a>&b;</a>", NULL),
		t_strconcat("<!DOCTYPE a [<!ENTITY % b SYSTEM "
			    "\"http://localhost/\">%b;]>", body, NULL),
		pox("<EMailAddress>&b;</EMailAddress>"),
		/* encodings */
		pox("<EMailAddress>\xff\xfe@example.org</EMailAddress>"),
		pox("<EMailAddress>\xc0\xaf@example.org</EMailAddress>"),
		t_strconcat("<?xml version=\"1.0\" encoding=\"x-nix\"?>", body,
			    NULL),
		t_strconcat("<?xml version=\"1.0\" encoding=\"utf-16\"?>",
			    body, NULL),
		pox("<EMailAddress>&#0;</EMailAddress>"),
		pox(t_strdup_printf("<EMailAddress>%0*d</EMailAddress>", 2000,
				    0)),
	};

	for (unsigned int i = 0; i < N_ELEMENTS(bad); i++) {
		assert_error(ask_in(directory, "alice@example.org", bad[i]),
			     "600");
	}
	/* another client's schema */
	assert_error(ask_in(directory, "alice@example.org",
		"<Autodiscover xmlns=\""REQUEST_NS"\"><Request>"
		"<EMailAddress>bob@example.org</EMailAddress>"
		"<AcceptableResponseSchema>http://schemas.microsoft.com/"
		"exchange/autodiscover/mobilesync/responseschema/2006"
		"</AcceptableResponseSchema></Request></Autodiscover>"),
		"601");
}

static void test_encodings(void **state)
{
	const char *address = "<EMailAddress>bob@example.org</EMailAddress>";
	const char *body = strchr(pox(address), '>') + 1;
	struct autodiscover_response resp;
	buffer_t *utf16 = t_buffer_create(2048);
	unsigned int big;

	for (big = 0; big < 2; big++) {
		const char *text = t_strconcat("<?xml version=\"1.0\" "
			"encoding=\"utf-16\"?>", body, NULL);

		buffer_set_used_size(utf16, 0);
		buffer_append(utf16, big ? "\xfe\xff" : "\xff\xfe", 2);
		for (; *text != '\0'; text++) {
			buffer_append_c(utf16, big ? 0 : *text);
			buffer_append_c(utf16, big ? *text : 0);
		}
		handle(directory, XML, "", "alice@example.org", utf16->data,
		       utf16->used, &resp);
		assert_string_equal(element(resp.body, "DisplayName"), "Bob");
		/* cut within a character */
		handle(directory, XML, "", "alice@example.org", utf16->data,
		       utf16->used - 1, &resp);
		assert_error(resp.body, "600");
	}
	assert_string_equal(element(ask_in(directory, "alice@example.org",
		t_strconcat("\xef\xbb\xbf", body, NULL)), "DisplayName"),
		"Bob");
	assert_string_equal(element(ask_in(directory, "alice@example.org",
		pox("<EMailAddress><![CDATA[bob@]]>example&#46;org"
		    "</EMailAddress>")), "DisplayName"), "Bob");
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *query, *username;
		unsigned int status;
		const char *contains;
	} tests[] = {
		{ XML, "", NULL, 401, "" },
		{ XML, "", "alice@example.org", 200, "<ErrorCode>600<" },
		{ "/AutoDiscover/AUTODISCOVER.XML", "", "alice@example.org",
		  200, "<ErrorCode>600<" },
		{ XML "/", "", "alice@example.org", 200, "<ErrorCode>600<" },
		{ XML "//", "", "alice@example.org", 404, "" },
		{ XML "x", "", "alice@example.org", 404, "" },
		{ "/autodiscover", "", "alice@example.org", 404, "" },
		{ "", "", NULL, 404, "" },
		{ JSON, "Protocol=AutodiscoverV1", NULL, 200,
		  "{\"Protocol\":\"AutodiscoverV1\",\"Url\":"
		  "\"https://mail.example.org" XML "\"}" },
		{ "/Autodiscover/Autodiscover.json/v1.0/a@b.c",
		  "x&protocol=autodiscoverV1", NULL, 200, "mail.example.org" },
		{ JSON "/", "Protocol=AutodiscoverV1", NULL, 200, "Url" },
		{ JSON "x", "Protocol=AutodiscoverV1", NULL, 404, "" },
		{ JSON, "", NULL, 400, "MandatoryParameterMissing" },
		{ JSON, "Protocol", NULL, 400, "MandatoryParameterMissing" },
		{ JSON, "Protocol=", NULL, 400, "MandatoryParameterMissing" },
		{ JSON, "Protocol=Ews", NULL, 400, "ProtocolNotSupported" },
		{ JSON, "&&=&%00&Protocol=%ff", NULL, 400,
		  "ProtocolNotSupported" },
	};
	struct autodiscover_response resp, other;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		handle(directory, tests[i].path, tests[i].query,
		       tests[i].username, "", 0, &resp);
		assert_int_equal(resp.status, tests[i].status);
		if (strstr(resp.body, tests[i].contains) == NULL)
			fail_msg("%s: %s", tests[i].path, resp.body);
	}
	/* nobody learns by it who there is */
	handle(directory, JSON, "Email=carl@example.org&Protocol="
	       "AutodiscoverV1", NULL, "", 0, &resp);
	handle(directory, JSON, "Email=nobody@example.org&Protocol="
	       "AutodiscoverV1", NULL, "", 0, &other);
	assert_string_equal(resp.body, other.body);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_without_directory),
		cmocka_unit_test(test_automapping),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_no_mailbox),
		cmocka_unit_test(test_invalid_requests),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_paths),
	};
	struct ioloop *ioloop;
	int ret;

	lib_init();
	/* errors say when they were made */
	ioloop = io_loop_create();
	ret = cmocka_run_group_tests(tests, setup, teardown);
	io_loop_destroy(&ioloop);
	lib_deinit();
	return ret;
}
