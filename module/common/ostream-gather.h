/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OSTREAM_GATHER_H
#define OSTREAM_GATHER_H

/* An output stream that hands on in one piece what has been written to it
   between o_stream_cork() and o_stream_uncork(), and that asks the system only
   for what is necessary.

   Above lib-ssl-iostream's stream, which makes a TLS record and a write() of
   everything that it's given, corked or not, a response's headers and body
   become one record. Between that stream and the socket's, it keeps away the
   corks that lib-ssl-iostream puts around every record that it writes or looks
   for: each costs the socket's stream three to five setsockopt(). TCP_NODELAY
   is to be set once and for all instead.

   A flush that is asked for while nothing is in anybody's way
   (o_stream_set_flush_pending()) comes in the ioloop's next round without
   waiting for the socket to tell that it's writable. */

struct ostream;

/* Takes the parent's flush callback over: it mustn't be set there any more. */
struct ostream *o_stream_create_gather(struct ostream *parent);
/* Replaces *output, whose reference becomes the new stream's. */
void o_stream_gather(struct ostream **output);

#endif
