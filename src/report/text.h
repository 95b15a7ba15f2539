/* Text that goes into HTML or SVG. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "base/bytes.h"

/* Writes text with the five characters of markup escaped; control characters and
 * bytes that are no UTF-8, which XML cannot hold, become U+FFFD. */
void report_escape(base_writer *out, const char *text);

#endif
