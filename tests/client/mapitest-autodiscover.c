/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest.h"
#include "mapitest-output.h"

#include <string.h>

/* --- for humans -----------------------------------------------------------*/
static void put_field(const char *label, const char *value)
{
	printf("  %-16s ", label);
	mapitest_put(value == NULL ? "-" : value);
	putchar('\n');
}

/* What was asked, to f. */
static void
put_attempts(FILE *f, const struct client_autodiscover *found)
{
	char buf[2048];

	for (unsigned int i = 0; i < found->attempt_count; i++) {
		const struct client_autodiscover_attempt *attempt =
			&found->attempts[i];
		struct client_error error = attempt->error;

		fprintf(f, "  %u. %s (%s)\n", i + 1, attempt->url,
			client_autodiscover_method_name(attempt->method));
		if (attempt->challenges != NULL) {
			fprintf(f, "     wants a password: %s\n",
				attempt->challenges);
		}
		if (error.failure != CLIENT_FAIL_NONE) {
			/* said already, and by the line before */
			error.step[0] = error.request[0] = '\0';
			fprintf(f, "     failed (%s): %s\n",
				client_failure_name(error.failure),
				client_error_describe(&error, buf,
						      sizeof(buf)));
		} else if (attempt->redirected_to != NULL) {
			fprintf(f, "     leads to %s\n",
				attempt->redirected_to);
		} else {
			fprintf(f, "     answered\n");
		}
	}
}

static void put_mailboxes(const struct client_autodiscover_answer *answer)
{
	for (unsigned int i = 0; i < answer->mailbox_count; i++) {
		const struct client_autodiscover_mailbox *mailbox =
			&answer->mailboxes[i];

		printf("  %-16s ", i == 0 ? "other mailboxes" : "");
		mapitest_put(mailbox->display_name);
		fputs(" <", stdout);
		mapitest_put(mailbox->smtp_address != NULL ?
			     mailbox->smtp_address : mailbox->legacy_dn);
		fputs(">, ", stdout);
		mapitest_put(mailbox->type);
		putchar('\n');
	}
}

static void put_answer(TALLOC_CTX *mem, const struct client_autodiscover *found)
{
	const struct client_autodiscover_answer *answer = found->answer;
	char *protocols = talloc_strdup(mem, "");

	for (unsigned int i = 0; i < answer->protocol_count; i++) {
		protocols = talloc_asprintf_append(protocols, "%s%s",
			i == 0 ? "" : ", ", answer->protocols[i]);
	}
	put_field("display name", answer->display_name);
	put_field("address", answer->smtp_address);
	put_field("legacy DN", answer->legacy_dn);
	put_field("mailbox", found->mailbox_url);
	put_field("address book", found->addressbook_url);
	put_field("protocols", protocols);
	put_field("deployment", answer->deployment_id);
	put_mailboxes(answer);
}

/* --- for programs ---------------------------------------------------------*/
static void
json_attempts(struct json_writer *jw, const struct client_autodiscover *found)
{
	jw_open_array(jw, "attempts");
	for (unsigned int i = 0; i < found->attempt_count; i++) {
		const struct client_autodiscover_attempt *attempt =
			&found->attempts[i];

		jw_open_object(jw, NULL);
		jw_string(jw, "url", attempt->url);
		jw_string(jw, "method",
			  client_autodiscover_method_name(attempt->method));
		jw_string(jw, "challenges", attempt->challenges);
		jw_string(jw, "redirected_to", attempt->redirected_to);
		if (attempt->error.failure != CLIENT_FAIL_NONE)
			mapitest_json_error(jw, &attempt->error);
		jw_close_object(jw);
	}
	jw_close_array(jw);
}

static void
json_answer(struct json_writer *jw, const struct client_autodiscover *found)
{
	const struct client_autodiscover_answer *answer = found->answer;

	jw_string(jw, "url", found->url);
	jw_string(jw, "display_name", answer->display_name);
	jw_string(jw, "smtp_address", answer->smtp_address);
	jw_string(jw, "legacy_dn", answer->legacy_dn);
	jw_string(jw, "deployment_id", answer->deployment_id);
	jw_string(jw, "mailbox_url", found->mailbox_url);
	jw_string(jw, "addressbook_url", found->addressbook_url);
	mapitest_json_lines(jw, "protocols", answer->protocols,
			    answer->protocol_count);
	jw_open_array(jw, "mailboxes");
	for (unsigned int i = 0; i < answer->mailbox_count; i++) {
		const struct client_autodiscover_mailbox *mailbox =
			&answer->mailboxes[i];

		jw_open_object(jw, NULL);
		jw_string(jw, "type", mailbox->type);
		jw_string(jw, "display_name", mailbox->display_name);
		jw_string(jw, "smtp_address", mailbox->smtp_address);
		jw_string(jw, "owner_smtp_address",
			  mailbox->owner_smtp_address);
		jw_string(jw, "legacy_dn", mailbox->legacy_dn);
		jw_string(jw, "server", mailbox->server);
		jw_close_object(jw);
	}
	jw_close_array(jw);
	mapitest_json_lines(jw, "violations", found->violations,
			    found->violation_count);
}

/* --- commands -------------------------------------------------------------*/
static int autodiscover_run(struct mapitest *test, struct client_error *error_r)
{
	client_error_clear(error_r);
	snprintf(error_r->step, sizeof(error_r->step),
		 "find the mailbox of %s", test->discover.address);
	test->discover.http = test->params;
	return client_autodiscover(test->mem, &test->discover, &test->found,
				   error_r);
}

static void
json_print(const struct client_autodiscover *found,
	   const struct client_error *error)
{
	struct json_writer jw;

	jw_init(&jw, stdout);
	jw_open_object(&jw, NULL);
	jw_string(&jw, "address", found->address);
	json_attempts(&jw, found);
	if (error == NULL)
		json_answer(&jw, found);
	else
		mapitest_json_error(&jw, error);
	jw_close_object(&jw);
}

int mapitest_locate(struct mapitest *test, enum mapitest_endpoint endpoint)
{
	bool addressbook = endpoint == MAPITEST_ADDRESSBOOK;
	struct client_error error;

	if (test->discover.address == NULL) {
		if (test->dn == NULL) {
			test->dn = client_user_dn(test->mem,
						  test->organization,
						  test->params.user);
		}
		return MAPITEST_OK;
	}
	if (autodiscover_run(test, &error) < 0) {
		fflush(stdout);
		fprintf(stderr, "Autodiscover of %s\n",
			test->discover.address);
		put_attempts(stderr, test->found);
		if (test->json)
			json_print(test->found, &error);
		return mapitest_fail(&error);
	}
	test->params.url = addressbook ? test->found->addressbook_url :
		test->found->mailbox_url;
	if (test->params.url == NULL) {
		snprintf(error.step, sizeof(error.step),
			 "find the address book of %s", test->found->address);
		(void)client_error_set(&error, CLIENT_FAIL_AUTODISCOVER,
			"the answer of %s has no URL of an address book",
			test->found->url);
		if (test->json)
			json_print(test->found, &error);
		return mapitest_fail(&error);
	}
	if (test->dn == NULL)
		test->dn = test->found->answer->legacy_dn;
	if (!test->json) {
		printf("Autodiscover of %s\n", test->found->address);
		put_field("asked", test->found->url);
		put_field("display name", test->found->answer->display_name);
		put_field("legacy DN", test->found->answer->legacy_dn);
		put_field(addressbook ? "address book" : "mailbox",
			  test->params.url);
		mapitest_put_lines(MAPITEST_VIOLATIONS, test->found->violations,
				   test->found->violation_count);
		putchar('\n');
	}
	return MAPITEST_OK;
}

int mapitest_autodiscover(struct mapitest *test)
{
	struct client_error error;
	int ret;

	if (test->argc > 0) {
		fprintf(stderr, "mapitest: autodiscover: what's %s?\n",
			test->argv[0]);
		return MAPITEST_USAGE;
	}
	ret = autodiscover_run(test, &error);
	if (test->json) {
		json_print(test->found, ret < 0 ? &error : NULL);
	} else {
		printf("Autodiscover of %s\n", test->discover.address);
		put_attempts(stdout, test->found);
		if (ret == 0) {
			printf("\nMailbox of %s\n", test->found->address);
			put_answer(test->mem, test->found);
			mapitest_put_lines(MAPITEST_VIOLATIONS,
					   test->found->violations,
					   test->found->violation_count);
		}
	}
	return ret < 0 ? mapitest_fail(&error) : MAPITEST_OK;
}
