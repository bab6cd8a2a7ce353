/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client-autodiscover.h"
#include "client-srv.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>" \
	"<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/" \
	"autodiscover/responseschema/2006\">"
#define RESPONSE "<Response xmlns=\"http://schemas.microsoft.com/exchange/" \
	"autodiscover/outlook/responseschema/2006a\">"
#define TAIL "</Response></Autodiscover>"

static struct client_autodiscover_answer *
parse(TALLOC_CTX *mem, const char *xml, const char **error_r)
{
	struct client_autodiscover_answer *answer = NULL;

	*error_r = NULL;
	if (client_autodiscover_parse(mem, xml, strlen(xml), &answer,
				      error_r) < 0) {
		assert_null(answer);
		assert_non_null(*error_r);
		return NULL;
	}
	return answer;
}

/* after the example in [MS-OXDSCLI] 4.4 */
static void test_settings(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct client_autodiscover_answer *answer;
	const char *error;

	(void)state;
	answer = parse(mem, HEAD RESPONSE "\n<User>\n"
		"<DisplayName> J\xc3\xbcrgen &amp; Co\n</DisplayName>"
		"<LegacyDN>/o=x/cn=&#74;</LegacyDN>"
		"<AutoDiscoverSMTPAddress>a@b.c</AutoDiscoverSMTPAddress>"
		"<DeploymentId>id</DeploymentId></User>"
		"<Account><AccountType>email</AccountType>"
		"<Action>settings</Action>"
		"<Protocol><Type>EXCH</Type><MailStore><ExternalUrl>wrong"
		"</ExternalUrl></MailStore></Protocol>"
		"<Protocol Version=\"1\" Type=\"mapiHttp\"><MailStore>"
		"<InternalUrl>https://in/m</InternalUrl>"
		"<ExternalUrl>https://out/m</ExternalUrl></MailStore>"
		"<AddressBook><InternalUrl>https://in/b</InternalUrl>"
		"</AddressBook></Protocol>"
		"<Protocol><Type>WEB</Type><External><Protocol><Type>EXPR"
		"</Type></Protocol></External></Protocol>"
		"<AlternativeMailbox><Type>Delegate</Type>"
		"<DisplayName>Info</DisplayName>"
		"<SmtpAddress>i@b.c</SmtpAddress></AlternativeMailbox>"
		"<AlternativeMailbox><DisplayName>Two</DisplayName>"
		"</AlternativeMailbox></Account>" TAIL, &error);
	assert_non_null(answer);
	assert_string_equal(answer->display_name, "J\xc3\xbcrgen & Co");
	assert_string_equal(answer->legacy_dn, "/o=x/cn=J");
	assert_string_equal(answer->smtp_address, "a@b.c");
	assert_string_equal(answer->deployment_id, "id");
	assert_string_equal(answer->action, "settings");
	assert_string_equal(answer->mailbox.external, "https://out/m");
	assert_string_equal(answer->mailbox.internal, "https://in/m");
	assert_null(answer->addressbook.external);
	assert_string_equal(answer->addressbook.internal, "https://in/b");
	assert_int_equal(answer->protocol_count, 3);
	assert_string_equal(answer->protocols[0], "EXCH");
	assert_string_equal(answer->protocols[1], "mapiHttp");
	assert_string_equal(answer->protocols[2], "WEB");
	assert_int_equal(answer->mailbox_count, 2);
	assert_string_equal(answer->mailboxes[0].type, "Delegate");
	assert_string_equal(answer->mailboxes[0].display_name, "Info");
	assert_string_equal(answer->mailboxes[0].smtp_address, "i@b.c");
	assert_null(answer->mailboxes[1].smtp_address);
	assert_string_equal(answer->mailboxes[1].display_name, "Two");
	assert_int_equal(answer->error_code, 0);
	assert_null(answer->error_message);
	talloc_free(mem);
}

static void test_others(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct client_autodiscover_answer *answer;
	const char *error;

	(void)state;
	answer = parse(mem, HEAD "<Response><Error Time=\"1\" Id=\"2\">"
		"<ErrorCode>500</ErrorCode><Message>no such user</Message>"
		"<DebugData /></Error>" TAIL, &error);
	assert_non_null(answer);
	assert_int_equal(answer->error_code, 500);
	assert_string_equal(answer->error_message, "no such user");
	answer = parse(mem, HEAD RESPONSE "<Account><Action>redirectUrl"
		"</Action><RedirectUrl>https://x/y?a&amp;b</RedirectUrl>"
		"</Account>" TAIL, &error);
	assert_string_equal(answer->redirect_url, "https://x/y?a&b");
	answer = parse(mem, HEAD RESPONSE "<Account><RedirectAddr>q@r.s"
		"</RedirectAddr></Account>" TAIL, &error);
	assert_string_equal(answer->redirect_addr, "q@r.s");
	/* of another namespace */
	answer = parse(mem, HEAD RESPONSE "<User xmlns=\"urn:x\"><LegacyDN>x"
		"</LegacyDN></User>" TAIL, &error);
	assert_non_null(answer);
	assert_null(answer->legacy_dn);
	talloc_free(mem);
}

static void test_refused(void **state)
{
	static const struct {
		const char *xml, *error;
	} cases[] = {
		{ "", "it is empty" },
		{ "<html><body>404</body></html>",
		  "it isn't an Autodiscover response" },
		{ "<a/>", "it isn't an Autodiscover response" },
		{ "<Autodiscover/>", "it isn't an Autodiscover response" },
		{ "hello", "it isn't XML: syntax error in line 1" },
		{ HEAD RESPONSE "<User>", "it isn't XML: no element found in "
		  "line 1" },
		{ "<!DOCTYPE a [<!ENTITY b \"c\">]>" HEAD "&b;</Autodiscover>",
		  "it has a document type" },
		{ HEAD RESPONSE "<a><a><a><a><a><a><a><a><a><a><a><a><a><a/>",
		  NULL },
		{ HEAD RESPONSE "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/>",
		  "its elements are nested too deep" },
		{ HEAD RESPONSE "<User><LegacyDN>\xff</LegacyDN></User>" TAIL,
		  "it isn't XML: not well-formed (invalid token) in line 1" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text;
	const char *error;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(parse(mem, cases[i].xml, &error));
		if (cases[i].error != NULL)
			assert_string_equal(error, cases[i].error);
		else
			assert_non_null(strstr(error, "no element found"));
	}
	text = talloc_strdup(mem, HEAD RESPONSE "<User><LegacyDN>");
	for (i = 0; i < 4096; i++)
		text = talloc_strdup_append_buffer(text, "x");
	assert_non_null(parse(mem, talloc_asprintf(mem, "%s</LegacyDN></User>"
						   TAIL, text), &error));
	assert_null(parse(mem, talloc_asprintf(mem, "%sx</LegacyDN></User>"
					       TAIL, text), &error));
	assert_string_equal(error, "an element's text is too long");
	text = talloc_strdup(mem, HEAD RESPONSE "<Account>");
	for (i = 0; i <= 1000; i++) {
		text = talloc_strdup_append_buffer(text,
						   "<AlternativeMailbox/>");
	}
	assert_null(parse(mem, text, &error));
	assert_string_equal(error, "it has too many alternative mailboxes");
	talloc_free(mem);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"", "a", "@b", "a@", "a@.b", "a@b/c", "a@b:80", "a@b?c", "a@b c",
		"a@b#c", "a@b%41", "a@[::1]", "a@b@c\n",
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *request;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(client_autodiscover_domain(bad[i]));
	assert_string_equal(client_autodiscover_domain("a@b"), "b");
	assert_string_equal(client_autodiscover_domain("\"a@b\"@c-d.e"),
			    "c-d.e");
	request = client_autodiscover_request(mem, "<a&b>@c");
	assert_non_null(strstr(request, "<EMailAddress>&lt;a&amp;b&gt;@c"
			       "</EMailAddress>"));
	talloc_free(mem);
}

/* --- SRV records, RFC 2782; DNS messages, RFC 1035 section 4.1 --------------- */
#define QUESTION "\x0d_autodiscover\x04_tcp\x07" "example\x03org\0" \
	"\0\x21\0\x01"
/* name by reference, SRV, IN, TTL */
#define RECORD "\xc0\x0c\0\x21\0\x01\0\0\x0e\x10"

static void test_srv(void **state)
{
	static const uint8_t answer[] =
		"\x12\x34\x81\x80\0\x01\0\x04\0\0\0\0" QUESTION
		RECORD "\0\x09" "\0\x0a\0\x05\x01\xbb\x01" "c\0"
		RECORD "\0\x09" "\0\x05\0\x01\x01\xbb\x01" "b\0"
		/* a name that ends in that of the question */
		RECORD "\0\x0d" "\0\x05\0\x09\x20\xfb\x04mail\xc0\x1f"
		/* no such service */
		RECORD "\0\x07" "\0\0\0\0\0\0\0";
	struct client_srv_host hosts[CLIENT_SRV_MAX_HOSTS];
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t size, full = sizeof(answer) - 1;

	(void)state;
	assert_int_equal(client_srv_parse(mem, answer, full, hosts), 3);
	assert_string_equal(hosts[0].name, "mail.example.org");
	assert_int_equal(hosts[0].port, 8443);
	assert_int_equal(hosts[0].weight, 9);
	assert_string_equal(hosts[1].name, "b");
	assert_int_equal(hosts[1].port, 443);
	assert_string_equal(hosts[2].name, "c");
	assert_int_equal(hosts[2].priority, 10);
	for (size = 0; size < full; size++) {
		uint8_t *cut = malloc(size == 0 ? 1 : size);

		memcpy(cut, answer, size);
		assert_int_equal(client_srv_parse(mem, cut, size, hosts), -1);
		free(cut);
	}
	talloc_free(mem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_srv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
