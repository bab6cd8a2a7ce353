/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-error.h"
#include "mapi-errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const failure_names[] = {
	"none", "connect", "tls", "timeout", "lost", "auth", "http",
	"not-mapi", "response-code", "status", "rop", "protocol", "local",
};

static const char *const response_code_names[] = {
	"Success", "Unknown Failure", "Invalid Verb", "Invalid Path",
	"Invalid Header", "Invalid Request Type", "Invalid Context Cookie",
	"Missing Header", "Anonymous Not Allowed", "Too Large",
	"Context Not Found", "No Privilege", "Invalid Request Body",
	"Missing Cookie", "Reserved", "Invalid Sequence", "Endpoint Disabled",
	"Invalid Response", "Endpoint Shutting Down",
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

const char *client_failure_name(enum client_failure failure)
{
	return failure_names[failure];
}

const char *client_response_code_name(int code)
{
	if (code < 0 || (size_t)code >= N_ELEMENTS(response_code_names))
		return "not in the specification";
	return response_code_names[code];
}

int client_error_set(struct client_error *error, enum client_failure failure,
		     const char *format, ...)
{
	va_list args;

	error->failure = failure;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

void client_error_clear(struct client_error *error)
{
	memset(error, 0, sizeof(*error));
	error->response_code = -1;
}

const char *client_error_describe(const struct client_error *error,
				  char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");

	if (f == NULL)
		return error->text;
	if (error->step[0] != '\0')
		fprintf(f, "%s: ", error->step);
	if (error->request[0] != '\0')
		fprintf(f, "%s: ", error->request);
	if (error->rop[0] != '\0')
		fprintf(f, "%s: ", error->rop);
	fputs(error->text, f);
	if (error->http_status != 0 && error->http_status != 200)
		fprintf(f, " [HTTP %ld]", error->http_status);
	if (error->response_code > 0) {
		fprintf(f, " [X-ResponseCode %d, %s]", error->response_code,
			client_response_code_name(error->response_code));
	}
	if (error->failure == CLIENT_FAIL_STATUS ||
	    error->failure == CLIENT_FAIL_ROP) {
		fprintf(f, " [0x%08X, %s]", error->ec,
			mapi_error_name(error->ec));
	}
	if (error->answer[0] != '\0')
		fprintf(f, "; it said: %s", error->answer);
	fclose(f);
	buf[size - 1] = '\0';
	return buf;
}

static const char *response_code_advice(int code)
{
	switch (code) {
	case 3:
		return "the server speaks MAPI/HTTP, but not under this path: "
			"the mailbox endpoint is usually /mapi/emsmdb/";
	case 6:
	case 10:
	case 13:
		return "the session is gone: it expired, its worker process "
			"ended, or a proxy drops or changes cookies. Look for "
			"the worker (service mapi) in Dovecot's log";
	case 11:
		return "the session belongs to somebody else than these "
			"credentials";
	case 16:
		return "the endpoint is switched off in the server's "
			"configuration";
	case 18:
		return "the server is stopping or reloading: try again";
	case 1:
	case 17:
		return "the login process answered, but what's behind it "
			"didn't: look in Dovecot's log for the services "
			"mapi-sessions and mapi (not started, process limit, "
			"crashed, mailbox can't be opened)";
	default:
		return "the server refused the request itself: look in "
			"Dovecot's log, and whether a proxy in between "
			"changes headers or bodies";
	}
}

const char *client_error_advice(const struct client_error *error)
{
	switch (error->failure) {
	case CLIENT_FAIL_CONNECT:
		return "check the host name and port, whether Dovecot runs "
			"with 'mapi' in its protocols setting, service "
			"mapi-login's inet_listeners, and firewalls";
	case CLIENT_FAIL_TLS:
		return "check ssl_cert of the server: its name must be the "
			"URL's host, and who signed it must be known here "
			"(--cacert FILE; --insecure to look no further). A "
			"plain HTTP port answers a TLS client with nonsense";
	case CLIENT_FAIL_TIMEOUT:
		return "a firewall or proxy swallows packets, or the server "
			"is stuck: look for the process in Dovecot's log and "
			"with 'doveadm who'";
	case CLIENT_FAIL_LOST:
		return "the server or a proxy closed the connection within "
			"an answer: look for a crashed process in Dovecot's "
			"log";
	case CLIENT_FAIL_AUTH:
		return "wrong user name or password, or the server's auth "
			"refuses this user: 'doveadm auth test USER' asks the "
			"same database";
	case CLIENT_FAIL_HTTP:
		if (error->http_status == 404 || error->http_status == 405) {
			return "a web server answers, but not for MAPI/HTTP "
				"at this path: the mailbox endpoint is usually "
				"/mapi/emsmdb/";
		}
		if (error->http_status >= 300 && error->http_status < 400)
			return "the URL is redirected: use the final one";
		if (error->http_status >= 500) {
			return "the server or a proxy in front of it couldn't "
				"answer: look in both logs";
		}
		return NULL;
	case CLIENT_FAIL_NOT_MAPI:
		return "something else than MAPI/HTTP listens there: check "
			"host, port and path (usually /mapi/emsmdb/)";
	case CLIENT_FAIL_RESPONSE_CODE:
		return response_code_advice(error->response_code);
	case CLIENT_FAIL_STATUS:
		if (error->ec == EC_LOGIN_PERM ||
		    error->ec == EC_ACCESS_DENIED ||
		    error->ec == EC_UNKNOWN_USER) {
			return "the DN isn't this user's: give it with --dn, "
				"or the organisation (setting "
				"mapi_organization) with --org";
		}
		return NULL;
	case CLIENT_FAIL_ROP:
		if (strcmp(error->rop, "RopLogon") == 0) {
			return "the DN isn't this user's (--dn, --org), or "
				"the mailbox can't be opened: look in "
				"Dovecot's log for service mapi";
		}
		return NULL;
	case CLIENT_FAIL_PROTOCOL:
		return "that's a fault of the server, or something between "
			"changes its answers";
	case CLIENT_FAIL_NONE:
	case CLIENT_FAIL_LOCAL:
		break;
	}
	return NULL;
}
