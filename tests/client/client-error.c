/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-error.h"
#include "mapi-errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const failure_names[] = {
	"none", "connect", "tls", "timeout", "lost", "auth", "http",
	"not-mapi", "response-code", "status", "rop",
	"not-autodiscover", "autodiscover", "redirect", "protocol", "local",
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

void client_error_step(struct client_error *error, const char *format, ...)
{
	va_list args;

	client_error_clear(error);
	va_start(args, format);
	vsnprintf(error->step, sizeof(error->step), format, args);
	va_end(args);
}

void client_error_set_answer(struct client_error *error, const void *_data,
			     size_t size)
{
	const unsigned char *data = _data;
	size_t i, n = 0;
	bool tag = false, space = true;

	for (i = 0; i < size && n < sizeof(error->answer) - 1; i++) {
		unsigned char c = data[i];

		if (c == '<')
			tag = true;
		else if (c == '>')
			tag = false, c = ' ';
		if (tag)
			continue;
		if (c <= ' ' || c == 127) {
			if (!space)
				error->answer[n++] = ' ';
			space = true;
		} else {
			error->answer[n++] = c;
			space = false;
		}
	}
	while (n > 0 && error->answer[n - 1] == ' ')
		n--;
	error->answer[n] = '\0';
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
