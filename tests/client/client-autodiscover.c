/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-autodiscover-private.h"
#include "client-srv.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#define AUTODISCOVER_PATH "/autodiscover/autodiscover.xml"

struct autodiscover {
	const struct client_autodiscover_params *params;
	struct autodiscover_http *http;
	struct client_autodiscover *result;
	const char *domain;
	unsigned int redirects;
	/* set if the answer says to begin anew with another address */
	const char *other_address;
};

static const char *const method_names[] = {
	"the URL that was given", "the domain itself", "host autodiscover",
	"SRV record in DNS", "redirection without TLS", "redirection",
};

const char *
client_autodiscover_method_name(enum client_autodiscover_method method)
{
	return method_names[method];
}

const char *client_autodiscover_domain(const char *address)
{
	const char *at = strrchr(address, '@'), *p;

	if (at == NULL || at == address || at[1] == '.' || at[1] == '\0')
		return NULL;
	for (p = at + 1; *p != '\0'; p++) {
		/* beyond ASCII it's an internationalised name */
		if (!isalnum((unsigned char)*p) && strchr("-._", *p) == NULL &&
		    (unsigned char)*p < 0x80)
			return NULL;
	}
	return at + 1;
}

static void __attribute__((format(printf, 2, 3)))
autodiscover_violation(struct autodiscover *ad, const char *format, ...)
{
	struct client_autodiscover *result = ad->result;
	va_list args;

	result->violations = talloc_realloc(result, result->violations,
					    const char *,
					    result->violation_count + 1);
	va_start(args, format);
	result->violations[result->violation_count++] =
		talloc_vasprintf(result, format, args);
	va_end(args);
}

/* --- one attempt ----------------------------------------------------------*/
static struct client_autodiscover_attempt *
autodiscover_attempt(struct autodiscover *ad,
		     enum client_autodiscover_method method, const char *url)
{
	struct client_autodiscover *result = ad->result;
	struct client_autodiscover_attempt *attempt;

	result->attempts = talloc_realloc(result, result->attempts,
		struct client_autodiscover_attempt, result->attempt_count + 1);
	attempt = &result->attempts[result->attempt_count++];
	memset(attempt, 0, sizeof(*attempt));
	attempt->method = method;
	attempt->url = talloc_strdup(result, url);
	client_error_clear(&attempt->error);
	snprintf(attempt->error.step, sizeof(attempt->error.step),
		 "ask %s (%s)", url, client_autodiscover_method_name(method));
	return attempt;
}

/* Asks without the password, and with it if it's asked for. */
static int
autodiscover_post(struct autodiscover *ad,
		  struct client_autodiscover_attempt *attempt,
		  struct autodiscover_response **response_r)
{
	const char *body = client_autodiscover_request(ad->result,
						       ad->result->address);
	struct client_error *error = &attempt->error;

	if (autodiscover_http_request(ad->http, ad->result, attempt->url, body,
				      false, response_r, error) < 0)
		return -1;
	if ((*response_r)->status != 401)
		return 0;
	attempt->challenges = (*response_r)->challenges;
	if (!(*response_r)->basic) {
		return client_error_set(error, CLIENT_FAIL_AUTH,
			"the server wants to be authenticated by %s, and this "
			"client knows only Basic",
			attempt->challenges[0] == '\0' ? "nothing at all" :
			attempt->challenges);
	}
	return autodiscover_http_request(ad->http, ad->result, attempt->url,
					 body, true, response_r, error);
}

static int
autodiscover_judge_status(const struct autodiscover_response *response,
			  struct client_error *error)
{
	if (response->status == 200)
		return 0;
	client_error_set_answer(error, response->body, response->body_len);
	if (response->status == 401) {
		return client_error_set(error, CLIENT_FAIL_AUTH,
			"the server doesn't accept these credentials");
	}
	return client_error_set(error, CLIENT_FAIL_HTTP, "HTTP status %ld",
				response->status);
}

static const char *
autodiscover_url_choose(const struct client_autodiscover_urls *urls)
{
	return urls->external != NULL && urls->external[0] != '\0' ?
		urls->external : urls->internal;
}

static int
autodiscover_no_mapi(const struct client_autodiscover_answer *answer,
		     struct client_error *error)
{
	char list[128] = "";
	size_t len;

	for (unsigned int i = 0; i < answer->protocol_count; i++) {
		len = strlen(list);
		snprintf(list + len, sizeof(list) - len, "%s%s",
			 i == 0 ? "" : ", ", answer->protocols[i]);
	}
	return client_error_set(error, CLIENT_FAIL_AUTODISCOVER,
		"the answer has no mailbox URL for MAPI over HTTP; its "
		"protocols are: %s", list[0] == '\0' ? "none" : list);
}

/* An answer that tells where the mailbox is */
static int
autodiscover_take(struct autodiscover *ad,
		  const struct client_autodiscover_attempt *attempt,
		  const struct autodiscover_response *response,
		  struct client_autodiscover_answer *answer,
		  struct client_error *error)
{
	struct client_autodiscover *result = ad->result;
	const char *mailbox_url = autodiscover_url_choose(&answer->mailbox);

	if (mailbox_url == NULL)
		return autodiscover_no_mapi(answer, error);
	if (answer->legacy_dn == NULL || answer->legacy_dn[0] == '\0') {
		return client_error_set(error, CLIENT_FAIL_AUTODISCOVER,
					"the answer has no LegacyDN");
	}
	result->answer = answer;
	result->url = attempt->url;
	result->mailbox_url = mailbox_url;
	result->addressbook_url = autodiscover_url_choose(&answer->addressbook);
	if (result->addressbook_url == NULL)
		autodiscover_violation(ad, "no URL of the address book");
	if (answer->display_name == NULL || answer->display_name[0] == '\0')
		autodiscover_violation(ad, "no DisplayName");
	if (response->content_type == NULL ||
	    strncasecmp(response->content_type, "text/xml", 8) != 0) {
		autodiscover_violation(ad, "Content-Type is %s, not text/xml",
			response->content_type == NULL ? "missing" :
			response->content_type);
	}
	/* [MS-OXDSCLI] 3.2.5.1 */
	for (unsigned int i = 0; i < answer->protocol_count; i++) {
		if (strcasecmp(answer->protocols[i], "EXCH") == 0 ||
		    strcasecmp(answer->protocols[i], "EXPR") == 0) {
			autodiscover_violation(ad, "a protocol %s besides "
					       "mapiHttp",
					       answer->protocols[i]);
		}
	}
	for (unsigned int i = 0; i < answer->mailbox_count; i++) {
		if (answer->mailboxes[i].display_name == NULL) {
			autodiscover_violation(ad, "an AlternativeMailbox "
					       "without DisplayName");
		}
	}
	return 0;
}

/* Returns 1 with *next_r set if there's another URL to be asked, 0 if done (the
   answer is there, or another address is to be asked for), -1 if it failed. */
static int
autodiscover_ask(struct autodiscover *ad,
		 struct client_autodiscover_attempt *attempt,
		 const char **next_r)
{
	struct client_error *error = &attempt->error;
	struct client_autodiscover_answer *answer;
	struct autodiscover_response *response;
	const char *reason;

	if (autodiscover_post(ad, attempt, &response) < 0)
		return -1;
	if (response->location != NULL) {
		*next_r = attempt->redirected_to = response->location;
		return 1;
	}
	if (autodiscover_judge_status(response, error) < 0)
		return -1;
	if (client_autodiscover_parse(ad->result, response->body,
				      response->body_len, &answer,
				      &reason) < 0) {
		client_error_set_answer(error, response->body,
					response->body_len);
		return client_error_set(error, CLIENT_FAIL_NOT_AUTODISCOVER,
					"the answer is no Autodiscover "
					"response: %s", reason);
	}
	if (answer->error_code != 0 || answer->error_message != NULL) {
		error->ec = answer->error_code;
		return client_error_set(error, CLIENT_FAIL_AUTODISCOVER,
			"the server answered with error %u: %s",
			answer->error_code, answer->error_message == NULL ?
			"no message" : answer->error_message);
	}
	if (answer->redirect_url != NULL) {
		*next_r = attempt->redirected_to = answer->redirect_url;
		return 1;
	}
	if (answer->redirect_addr != NULL) {
		ad->other_address = attempt->redirected_to =
			answer->redirect_addr;
		return 0;
	}
	return autodiscover_take(ad, attempt, response, answer, error);
}

/* --- redirections ---------------------------------------------------------*/
static bool url_is_https(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

/* Whether the host of a URL is the domain or below it */
static bool url_is_in_domain(const char *url, const char *domain)
{
	const char *host = strstr(url, "://");
	size_t len, domain_len = strlen(domain);

	if (host == NULL)
		return false;
	host += 3;
	len = strcspn(host, ":/?#");
	/* "https://example.org@evil.example/" */
	if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
		return false;
	return len >= domain_len &&
		strncasecmp(host + len - domain_len, domain, domain_len) == 0 &&
		(len == domain_len || host[len - domain_len - 1] == '.');
}

static int
autodiscover_may_follow(struct autodiscover *ad, const char *url,
			struct client_error *error)
{
	if (ad->redirects++ == CLIENT_AUTODISCOVER_MAX_REDIRECTS) {
		return client_error_set(error, CLIENT_FAIL_REDIRECT,
			"it redirects to %s, after %d redirections already",
			url, CLIENT_AUTODISCOVER_MAX_REDIRECTS);
	}
	if (!url_is_https(url)) {
		return client_error_set(error, CLIENT_FAIL_REDIRECT,
			"it redirects to %s, which isn't https", url);
	}
	return 0;
}

/* Where something that anybody may have forged leads to */
static int
autodiscover_may_trust(struct autodiscover *ad, const char *url,
		       struct client_error *error)
{
	if (ad->params->trust_redirects || url_is_in_domain(url, ad->domain))
		return 0;
	return client_error_set(error, CLIENT_FAIL_REDIRECT,
		"it leads out of %s to %s, and nothing vouches for that; "
		"Outlook asks its user whether to go on", ad->domain, url);
}

/* Returns 0 if done as for autodiscover_ask(). */
static int
autodiscover_try(struct autodiscover *ad,
		 enum client_autodiscover_method method, const char *url)
{
	struct client_autodiscover_attempt *attempt;
	const char *next = NULL;
	int ret;

	for (;;) {
		attempt = autodiscover_attempt(ad, method, url);
		ret = autodiscover_ask(ad, attempt, &next);
		if (ret <= 0)
			return ret;
		if (autodiscover_may_follow(ad, next, &attempt->error) < 0)
			return -1;
		method = CLIENT_AUTODISCOVER_FOLLOW;
		url = next;
	}
}

/* [MS-OXDISCO] 3.1.5.3. Outlook doesn't look at the port. */
static int autodiscover_try_srv(struct autodiscover *ad)
{
	struct client_autodiscover_attempt *attempt;
	struct client_srv_host hosts[CLIENT_SRV_MAX_HOSTS];
	const char *error, *url;
	const char *name = talloc_asprintf(ad->result, "_autodiscover._tcp.%s",
					   ad->domain);
	int i, count = client_srv_lookup(ad->result, name, hosts, &error);

	attempt = autodiscover_attempt(ad, CLIENT_AUTODISCOVER_SRV, name);
	if (count <= 0) {
		return client_error_set(&attempt->error, CLIENT_FAIL_CONNECT,
					"%s", count < 0 ? error :
					"there's no such record");
	}
	attempt->redirected_to = hosts[0].name;
	for (i = 0; i < count; i++) {
		url = talloc_asprintf(ad->result, "https://%s"AUTODISCOVER_PATH,
				      hosts[i].name);
		attempt = autodiscover_attempt(ad, CLIENT_AUTODISCOVER_SRV, url);
		if (autodiscover_may_trust(ad, url, &attempt->error) < 0)
			continue;
		/* autodiscover_try() begins with an attempt of its own */
		ad->result->attempt_count--;
		if (autodiscover_try(ad, CLIENT_AUTODISCOVER_SRV, url) == 0)
			return 0;
	}
	return -1;
}

/* [MS-OXDISCO] 3.1.5.4 */
static int autodiscover_try_redirect(struct autodiscover *ad)
{
	struct client_autodiscover_attempt *attempt;
	struct autodiscover_response *response;
	const char *url = talloc_asprintf(ad->result,
		"http://autodiscover.%s"AUTODISCOVER_PATH, ad->domain);

	attempt = autodiscover_attempt(ad, CLIENT_AUTODISCOVER_HTTP_REDIRECT,
				       url);
	if (autodiscover_http_request(ad->http, ad->result, url, NULL, false,
				      &response, &attempt->error) < 0)
		return -1;
	if (response->location == NULL) {
		client_error_set_answer(&attempt->error, response->body,
					response->body_len);
		return client_error_set(&attempt->error, CLIENT_FAIL_HTTP,
			"it doesn't redirect (HTTP status %ld)",
			response->status);
	}
	attempt->redirected_to = response->location;
	if (autodiscover_may_follow(ad, response->location,
				    &attempt->error) < 0 ||
	    autodiscover_may_trust(ad, response->location,
				   &attempt->error) < 0)
		return -1;
	return autodiscover_try(ad, CLIENT_AUTODISCOVER_FOLLOW,
				response->location);
}

/* --- all of it ------------------------------------------------------------*/
static int autodiscover_domain(struct autodiscover *ad)
{
	const char *url;

	url = talloc_asprintf(ad->result, "https://%s"AUTODISCOVER_PATH,
			      ad->domain);
	if (autodiscover_try(ad, CLIENT_AUTODISCOVER_DOMAIN, url) == 0)
		return 0;
	url = talloc_asprintf(ad->result,
			      "https://autodiscover.%s"AUTODISCOVER_PATH,
			      ad->domain);
	if (autodiscover_try(ad, CLIENT_AUTODISCOVER_HOST, url) == 0)
		return 0;
	if (!ad->params->no_srv && autodiscover_try_srv(ad) == 0)
		return 0;
	return autodiscover_try_redirect(ad);
}

/* How much a failure says about what is wrong */
static unsigned int autodiscover_weight(enum client_failure failure)
{
	switch (failure) {
	case CLIENT_FAIL_NONE:
		return 0;
	case CLIENT_FAIL_CONNECT:
	case CLIENT_FAIL_TIMEOUT:
	case CLIENT_FAIL_LOST:
		return 1;
	case CLIENT_FAIL_HTTP:
	case CLIENT_FAIL_NOT_AUTODISCOVER:
		return 2;
	case CLIENT_FAIL_TLS:
		return 3;
	case CLIENT_FAIL_REDIRECT:
		return 4;
	case CLIENT_FAIL_AUTH:
		return 5;
	default:
		return 6;
	}
}

static int
autodiscover_fail(const struct autodiscover *ad, struct client_error *error_r)
{
	const struct client_autodiscover *result = ad->result;
	const struct client_error *best = &result->attempts[0].error, *error;

	for (unsigned int i = 1; i < result->attempt_count; i++) {
		error = &result->attempts[i].error;
		if (autodiscover_weight(error->failure) >
		    autodiscover_weight(best->failure))
			best = error;
	}
	*error_r = *best;
	return -1;
}

int client_autodiscover(TALLOC_CTX *mem,
			const struct client_autodiscover_params *params,
			struct client_autodiscover **result_r,
			struct client_error *error_r)
{
	struct client_autodiscover *result =
		talloc_zero(mem, struct client_autodiscover);
	struct autodiscover ad = { .params = params, .result = result };
	int ret;

	*result_r = result;
	result->address = talloc_strdup(result, params->address);
	ad.http = autodiscover_http_new(result, &params->http);
	do {
		ad.other_address = NULL;
		ad.domain = client_autodiscover_domain(result->address);
		if (ad.domain == NULL) {
			return client_error_set(error_r, CLIENT_FAIL_LOCAL,
				"%s is no e-mail address", result->address);
		}
		if (params->url != NULL) {
			ret = autodiscover_try(&ad, CLIENT_AUTODISCOVER_URL,
					       params->url);
		} else {
			ret = autodiscover_domain(&ad);
		}
		if (ret < 0)
			return autodiscover_fail(&ad, error_r);
		if (ad.other_address == NULL)
			break;
		result->address = ad.other_address;
	} while (ad.redirects++ < CLIENT_AUTODISCOVER_MAX_REDIRECTS);
	if (result->answer == NULL) {
		return client_error_set(error_r, CLIENT_FAIL_REDIRECT,
			"the server redirects from address to address, last "
			"to %s", result->address);
	}
	return 0;
}
