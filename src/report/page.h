/* The frame of a report page and the small parts its panels are made of. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "base/bytes.h"

void page_begin(base_writer *out, const char *title);
void page_end(base_writer *out);

/* A panel with its heading and, when not NULL, a line of what it shows. */
void page_panel_begin(base_writer *out, const char *heading, const char *note);
void page_panel_end(base_writer *out);

/* Figures as people read them: "1,234", "99.32 %", "86.1×", "1,234 B"; a dash
 * for what is not known (not finite, or negative). */
#define PAGE_FIGURE_MAX 48
const char *page_count(char text[PAGE_FIGURE_MAX], double value);
const char *page_percent(char text[PAGE_FIGURE_MAX], double fraction);
const char *page_ratio(char text[PAGE_FIGURE_MAX], double ratio);
const char *page_bytes(char text[PAGE_FIGURE_MAX], double bytes);

/* One cell of a table, escaped; class: "" or a CSS class. */
void page_cell(base_writer *out, const char *class, const char *text);
/* A number's cell with a bar behind it, share in [0, 1]. */
void page_bar_cell(base_writer *out, double share, unsigned colour, const char *text);

#endif
