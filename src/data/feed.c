#include "data/feed.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "data/stock.h"

/* Batches that are made ahead, the one that the caller has among them. */
#define AHEAD 4
#define NO_IMAGE UINT32_MAX
/* Names the random numbers of crops apart from those of the other distortions. */
#define CROP_STREAM ((uint64_t)0x63726f70 << 32)

/* A ring of samples: place p of the feed is in slot p % slots, from when a thread takes it up
 * until the caller asks for the batch after its own. */
struct data_feed {
    data_view view;
    size_t count, batch, elements;
    size_t at; /* the caller's next place; those from `released` on are in use */
    double waited;

    bool made; /* by threads; else the set's own are taken */
    size_t slots;
    uint8_t *pixels;      /* [slots][elements] */
    uint32_t *images;     /* [slots] */
    admmnn_error *errors; /* [slots] of the image that is replaced */
    bool *ready;          /* [slots] */
    pthread_t *threads;
    unsigned started;
    pthread_mutex_t lock;
    pthread_cond_t is_ready, is_wanted;
    size_t taken; /* places that threads took up */
    size_t released;
    bool stopping;
};

size_t data_view_image(const data_view *view, size_t i) {
    const size_t place = view->first + i;
    return view->order == NULL ? place : view->order[place];
}

double data_feed_waited(const data_feed *feed) {
    return feed->waited;
}

/* ---- threads ---- */

static admmnn_status make_image(const data_feed *feed, size_t image, stock_room *room,
                                uint8_t *pixels, admmnn_error *err) {
    const data_set *set = feed->view.set;
    const double least = (double)feed->view.augmentation.crop;
    base_random random = base_random_at(feed->view.seed, feed->view.epoch ^ CROP_STREAM, image);
    if (set->stock != NULL)
        return stock_make(set->stock, image, least, &random, room, pixels, err);
    const image_extent extent = {graph_shape_width(set->shape), graph_shape_height(set->shape)};
    const image_view view = image_view_of_planes(set->pixels + image * feed->elements, extent,
                                                 graph_shape_channels(set->shape));
    const image_box box = image_box_draw(&random, extent, least);
    return image_resample(&view, &box, extent, &room->resample, pixels, err);
}

/* Damaged images that may follow one another before there are too many. */
static size_t most_damaged(const data_feed *feed) {
    const data_stock *stock = feed->view.set->stock;
    const uint64_t most = stock == NULL ? 0 : stock->damaged_most;
    return most < feed->count - 1 ? (size_t)most : feed->count - 1;
}

/* Place p, or the first after it in the order whose image is whole. The error kept is that of
 * its own image, unless a failure is none of an image. */
static void make_place(data_feed *feed, size_t p, stock_room *room) {
    const size_t slot = p % feed->slots;
    const size_t most = most_damaged(feed);
    feed->images[slot] = NO_IMAGE;
    feed->errors[slot] = (admmnn_error){ADMMNN_OK, ""};
    for (size_t tries = 0; tries <= most; tries++) {
        admmnn_error reason = {ADMMNN_OK, ""};
        const size_t image = data_view_image(&feed->view, (p + tries) % feed->count);
        const admmnn_status status =
            make_image(feed, image, room, feed->pixels + slot * feed->elements, &reason);
        if (status == ADMMNN_OK) {
            feed->images[slot] = (uint32_t)image;
            return;
        }
        if (tries == 0 || !stock_is_damage(status))
            feed->errors[slot] = reason;
        if (!stock_is_damage(status))
            return;
    }
}

/* The next place to make; false when there is none any more. */
static bool take_place(data_feed *feed, size_t *p) {
    pthread_mutex_lock(&feed->lock);
    while (!feed->stopping && feed->taken < feed->count &&
           feed->taken >= feed->released + feed->slots)
        pthread_cond_wait(&feed->is_wanted, &feed->lock);
    const bool found = !feed->stopping && feed->taken < feed->count;
    if (found)
        *p = feed->taken++;
    pthread_mutex_unlock(&feed->lock);
    return found;
}

static void *work(void *argument) {
    data_feed *feed = argument;
    stock_room room = {0};
    size_t p;
    while (take_place(feed, &p)) {
        make_place(feed, p, &room);
        pthread_mutex_lock(&feed->lock);
        feed->ready[p % feed->slots] = true;
        pthread_cond_signal(&feed->is_ready);
        pthread_mutex_unlock(&feed->lock);
    }
    stock_room_free(&room);
    return NULL;
}

/* As of a pool, signals are the caller's. */
static void start_threads(data_feed *feed, unsigned threads) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (feed->started < threads &&
           pthread_create(&feed->threads[feed->started], NULL, work, feed) == 0)
        feed->started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static admmnn_status open_ring(data_feed *feed, unsigned threads, admmnn_error *err) {
    const size_t batches = (feed->count + feed->batch - 1) / feed->batch;
    feed->slots = (batches < AHEAD ? batches : AHEAD) * feed->batch;
    feed->pixels = base_array(feed->slots, feed->elements);
    feed->images = base_array(feed->slots, sizeof *feed->images);
    feed->errors = base_array(feed->slots, sizeof *feed->errors);
    feed->ready = base_array(feed->slots, sizeof *feed->ready);
    feed->threads = base_array(threads, sizeof *feed->threads);
    if (feed->pixels == NULL || feed->images == NULL || feed->errors == NULL ||
        feed->ready == NULL || feed->threads == NULL)
        return base_fail_memory(err, "the images of the next batches");
    start_threads(feed, threads);
    return feed->started > 0
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_MEMORY, "no thread could be started to read images");
}

admmnn_status data_feed_open(const data_view *view, size_t count, size_t batch, unsigned threads,
                             data_feed **out, admmnn_error *err) {
    data_feed *feed = base_array(1, sizeof *feed);
    if (feed == NULL)
        return base_fail_memory(err, "a feed of images");
    feed->view = *view;
    feed->count = count;
    feed->batch = batch;
    feed->elements = graph_shape_count(view->set->shape);
    feed->made = count > 0 && (view->set->stock != NULL || view->augmentation.crop > 0);
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->is_ready, NULL);
    pthread_cond_init(&feed->is_wanted, NULL);
    const admmnn_status status = feed->made ? open_ring(feed, threads, err) : ADMMNN_OK;
    if (status != ADMMNN_OK) {
        data_feed_close(feed);
        return status;
    }
    *out = feed;
    return ADMMNN_OK;
}

void data_feed_close(data_feed *feed) {
    if (feed == NULL)
        return;
    pthread_mutex_lock(&feed->lock);
    feed->stopping = true;
    pthread_cond_broadcast(&feed->is_wanted);
    pthread_mutex_unlock(&feed->lock);
    for (unsigned t = 0; t < feed->started; t++)
        pthread_join(feed->threads[t], NULL);
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->is_ready);
    pthread_cond_destroy(&feed->is_wanted);
    base_free(feed->pixels);
    base_free(feed->images);
    base_free(feed->errors);
    base_free(feed->ready);
    base_free(feed->threads);
    base_free(feed);
}

/* ---- the caller ---- */

/* Gives the last batch's slots back and waits until those of the next are made. */
static void exchange(data_feed *feed, size_t first, size_t count) {
    const double start = base_seconds();
    pthread_mutex_lock(&feed->lock);
    for (size_t p = feed->released; p < feed->at; p++)
        feed->ready[p % feed->slots] = false;
    feed->released = feed->at;
    pthread_cond_broadcast(&feed->is_wanted);
    for (size_t i = 0; i < count; i++)
        while (!feed->ready[first + i])
            pthread_cond_wait(&feed->is_ready, &feed->lock);
    pthread_mutex_unlock(&feed->lock);
    feed->waited += base_seconds() - start;
}

static admmnn_status note_damage(const data_feed *feed, size_t p, admmnn_error *err) {
    const size_t slot = p % feed->slots;
    const admmnn_error *reason = &feed->errors[slot];
    if (reason->status == ADMMNN_OK)
        return ADMMNN_OK;
    if (stock_is_damage(reason->status))
        BASE_TRY(
            stock_note_damage(feed->view.set->stock, data_view_image(&feed->view, p), reason, err));
    else
        return base_fail(err, reason->status, "%s", reason->message);
    if (feed->images[slot] != NO_IMAGE)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT,
                     "%s; nor is any of those that could stand in for it whole", reason->message);
}

admmnn_status data_feed_next(data_feed *feed, data_view *batch, size_t *count, admmnn_error *err) {
    const size_t left = feed->count - feed->at;
    const size_t size = left < feed->batch ? left : feed->batch;
    const size_t first = feed->made ? feed->at % feed->slots : 0;
    *count = size;
    *batch = feed->view;
    batch->first += feed->at;
    if (!feed->made || size == 0) {
        feed->at += size;
        return ADMMNN_OK;
    }
    exchange(feed, first, size);
    for (size_t i = 0; i < size; i++)
        BASE_TRY(note_damage(feed, feed->at + i, err));
    feed->at += size;
    batch->order = feed->images + first;
    batch->first = 0;
    batch->pixels = feed->pixels + first * feed->elements;
    return ADMMNN_OK;
}
