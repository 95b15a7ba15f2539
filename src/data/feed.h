/* Batches of a view, one after another. Images that are not held, or that are cropped, are
 * made by threads that keep a few batches ahead of the caller; what they make depends on the
 * view alone, whatever their number. */
#ifndef DATA_FEED_H
#define DATA_FEED_H

#include "data/data.h"

typedef struct data_feed data_feed;

/* The first `count` images of the view, in batches of `batch`, by so many threads. The set and
 * the order must outlive the feed, which is the caller's, closed with data_feed_close. */
admmnn_status data_feed_open(const data_view *view, size_t count, size_t batch, unsigned threads,
                             data_feed **out, admmnn_error *err);
void data_feed_close(data_feed *feed);

/* The next batch: its view, valid until the next call, and how many samples it has, 0 at the
 * end. A damaged image is replaced by the next one of the order that is not, whose number
 * then stands in the batch's view; more of them than the set's settings allow is
 * ADMMNN_CORRUPT. */
admmnn_status data_feed_next(data_feed *feed, data_view *batch, size_t *count, admmnn_error *err);

/* The image that sample i of a view is. */
size_t data_view_image(const data_view *view, size_t i);

/* Seconds that the caller waited in data_feed_next. */
double data_feed_waited(const data_feed *feed);

#endif
