/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* strcasestr() */
#include "client-http-private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* how much later than X-PendingPeriod a meta-tag may come */
#define PENDING_MARGIN_SECS 5

void client_http_violation(struct client_http *http, const char *format, ...)
{
	va_list args;
	char *text;
	unsigned int i;

	va_start(args, format);
	text = talloc_vasprintf(http, format, args);
	va_end(args);

	for (i = 0; i < http->violation_count; i++) {
		if (strcmp(http->violations[i], text) == 0) {
			talloc_free(text);
			return;
		}
	}
	http->violations = talloc_realloc(http, http->violations, const char *,
					  http->violation_count + 1);
	http->violations[http->violation_count++] = text;
}

/* --- cookies --------------------------------------------------------------*/
static void
client_http_set_cookie(struct client_http *http, const char *type,
		       const char *value)
{
	const char *end = value + strcspn(value, ";");
	const char *equals = memchr(value, '=', end - value);
	const char *name;
	unsigned int i;

	if (equals == NULL || equals == value) {
		client_http_violation(http, "%s: Set-Cookie without a name: %s",
				      type, value);
		return;
	}
	if (equals + 1 == end && strstr(end, "expires") == NULL &&
	    strstr(end, "Expires") == NULL && strstr(end, "Max-Age") == NULL) {
		client_http_violation(http, "%s: Set-Cookie with an empty value",
				      type);
	}
	if (strncasecmp(http->params.url, "https:", 6) == 0 &&
	    strcasestr(end, "secure") == NULL) {
		client_http_violation(http,
			"%s: Set-Cookie over TLS isn't marked Secure", type);
	}
	name = talloc_strndup(http, value, equals - value);
	for (i = 0; i < http->cookie_count; i++) {
		if (strcmp(http->cookies[i].name, name) == 0)
			break;
	}
	if (i == http->cookie_count) {
		http->cookies = talloc_realloc(http, http->cookies,
					       struct client_header,
					       http->cookie_count + 1);
		http->cookie_count++;
	} else {
		talloc_free((void *)http->cookies[i].name);
		talloc_free((void *)http->cookies[i].value);
	}
	http->cookies[i].name = name;
	http->cookies[i].value = talloc_strndup(http, equals + 1,
						end - equals - 1);
}

void
client_http_take_cookies(struct client_http *http, const char *type,
			 const struct client_http_response *response)
{
	unsigned int i;

	for (i = 0; i < response->header_count; i++) {
		if (strcasecmp(response->headers[i].name, "Set-Cookie") == 0) {
			client_http_set_cookie(http, type,
					       response->headers[i].value);
		}
	}
}

const char *client_http_cookie_header(struct client_http *http,
					     TALLOC_CTX *mem)
{
	char *line = talloc_strdup(mem, "");
	unsigned int i;

	for (i = 0; i < http->cookie_count; i++) {
		if (http->cookies[i].value[0] == '\0')
			continue;
		line = talloc_asprintf_append(line, "%s%s=%s",
					      *line == '\0' ? "" : "; ",
					      http->cookies[i].name,
					      http->cookies[i].value);
	}
	return line;
}

/* --- what must be in an answer --------------------------------------------*/
static void
check_echo(struct client_http *http, const char *type,
	   const struct client_http_response *response,
	   const char *name, const char *sent)
{
	const char *value = client_http_header(response, name);

	if (value == NULL)
		client_http_violation(http, "%s: no %s in the answer", type, name);
	else if (strcmp(value, sent) != 0) {
		client_http_violation(http, "%s: %s isn't what was sent",
				      type, name);
	}
}

void client_http_check_echo(struct client_http *http, const char *type,
			    const struct client_http_response *response,
			    const char *id)
{
	check_echo(http, type, response, "X-RequestType", type);
	check_echo(http, type, response, "X-RequestId", id);
	check_echo(http, type, response, "X-ClientInfo", id);
}

static bool check_number(struct client_http *http, const char *type,
			 const char *name, const char *value,
			 unsigned long *number_r)
{
	char *end;

	*number_r = 0;
	if (value == NULL) {
		client_http_violation(http, "%s: no %s in the answer",
				      type, name);
		return false;
	}
	*number_r = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end != '\0') {
		client_http_violation(http, "%s: %s is no number: %s",
				      type, name, value);
		return false;
	}
	return true;
}

void
client_http_check_success(struct client_http *http, const char *type,
			  const struct client_http_response *response)
{
	const struct client_framing *framing = response->framing;
	const char *value;
	unsigned long number;
	unsigned int i, a, b, c, d;

	value = client_http_header(response, "Content-Type");
	if (value == NULL ||
	    strcasecmp(value, "application/mapi-http") != 0) {
		client_http_violation(http,
			"%s: Content-Type is %s, not application/mapi-http",
			type, value == NULL ? "missing" : value);
	}
	if (client_http_header(response, "Content-Length") == NULL &&
	    client_http_header(response, "Transfer-Encoding") == NULL) {
		client_http_violation(http, "%s: neither Content-Length nor "
				      "Transfer-Encoding", type);
	}
	value = client_http_header(response, "X-ServerApplication");
	if (value == NULL ||
	    sscanf(value, "Exchange/%u.%u.%u.%u", &a, &b, &c, &d) != 4) {
		client_http_violation(http, "%s: X-ServerApplication is %s",
				      type, value == NULL ? "missing" : value);
	}
	if (check_number(http, type, "X-ExpirationInfo",
			 client_http_header(response, "X-ExpirationInfo"),
			 &number) && number == 0) {
		client_http_violation(http, "%s: X-ExpirationInfo is 0", type);
	}
	if (check_number(http, type, "X-PendingPeriod",
			 client_http_header(response, "X-PendingPeriod"),
			 &number) &&
	    framing->longest_silence > number / 1000.0 + PENDING_MARGIN_SECS) {
		client_http_violation(http,
			"%s: X-PendingPeriod is %lu ms, but nothing came for "
			"%.1f s", type, number, framing->longest_silence);
	}
	if (strcmp(type, "PING") == 0)
		return;
	if (!framing->processing) {
		client_http_violation(http, "%s: no PROCESSING before DONE",
				      type);
	}
	check_number(http, type, "X-ElapsedTime",
		     client_framing_header(framing, "X-ElapsedTime"), &number);
	if (client_framing_header(framing, "X-StartTime") == NULL) {
		client_http_violation(http, "%s: no X-StartTime after DONE",
				      type);
	}
	if (strcmp(type, "Connect") == 0 || strcmp(type, "Bind") == 0) {
		for (i = 0; i < response->header_count; i++) {
			if (strcasecmp(response->headers[i].name,
				       "Set-Cookie") == 0)
				return;
		}
		client_http_violation(http, "%s: no Set-Cookie", type);
	}
}
