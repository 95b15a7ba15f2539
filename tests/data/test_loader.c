/* The loader against what it is defined to do: normalise, shift, rotate. */
#include "support.h"

#include "base/pool.h"

#define MEAN 0.1307F
#define SCALE 3.25F

static data_set make_set(size_t count, uint32_t channels, uint32_t height, uint32_t width) {
    data_set set = {
        .count = count, .shape = graph_shape_image(channels, height, width), .classes = 2};
    size_t pixels = count * channels * height * width;
    base_random random = base_random_at(5, 6, 7);
    set.pixels = base_array(pixels, 1);
    set.labels = base_array(count, sizeof *set.labels);
    assert_true(set.pixels != NULL && set.labels != NULL);
    for (size_t i = 0; i < pixels; i++)
        set.pixels[i] = (uint8_t)base_random_below(&random, 256);
    return set;
}

static size_t elements_of(const data_set *set) {
    return (size_t)graph_shape_channels(set->shape) * graph_shape_height(set->shape) *
           graph_shape_width(set->shape);
}

static data_view view_of(const data_set *set, uint32_t shift, float rotate) {
    return (data_view){.set = set,
                       .augmentation = {.shift = shift, .rotate = rotate},
                       .seed = 11,
                       .epoch = 3,
                       .tones = data_tones_of(MEAN, SCALE)};
}

static double tone_of(double pixel) {
    return (pixel / 255.0 - (double)MEAN) * (double)SCALE;
}

static double pixel_of(const data_set *set, size_t image, uint32_t c, int y, int x) {
    if (y < 0 || x < 0 || y >= (int)graph_shape_height(set->shape) ||
        x >= (int)graph_shape_width(set->shape))
        return 0.0;
    return set
        ->pixels[((image * graph_shape_channels(set->shape) + c) * graph_shape_height(set->shape) +
                  (size_t)y) *
                     graph_shape_width(set->shape) +
                 (size_t)x];
}

/* ---- without distortion ---- */

static void pixels_are_normalised_in_order(void **state) {
    (void)state;
    const uint32_t order[4] = {3, 1, 0, 2};
    data_set set = make_set(4, 2, 3, 5);
    data_view view = view_of(&set, 0, 0.0F);
    float out[30];
    view.order = order;
    view.first = 1;
    for (size_t sample = 0; sample < 3; sample++) {
        data_view_fill(&view, sample, out, 1);
        for (size_t i = 0; i < 30; i++) {
            double expected = tone_of(set.pixels[order[1 + sample] * 30 + i]);
            assert_true(fabs((double)out[i] - expected) < 1e-6);
        }
    }
    view.order = NULL;
    data_view_fill(&view, 2, out, 1);
    assert_true(fabs((double)out[7] - tone_of(set.pixels[3 * 30 + 7])) < 1e-6);
    data_set_free(&set);
}

/* Strides give the same numbers, and touch nothing between them. */
static void strides_leave_other_lanes_alone(void **state) {
    (void)state;
    enum { STRIDE = 7 };
    data_set set = make_set(3, 1, 6, 5);
    const float rotations[] = {0.0F, 30.0F};
    for (size_t r = 0; r < 2; r++) {
        data_view view = view_of(&set, 2, rotations[r]);
        float plain[30];
        float strided[30 * STRIDE];
        for (size_t i = 0; i < 30 * STRIDE; i++)
            strided[i] = -77.0F;
        data_view_fill(&view, 1, plain, 1);
        data_view_fill(&view, 1, strided + 3, STRIDE);
        for (size_t i = 0; i < 30 * STRIDE - 3; i++)
            assert_true(strided[3 + i] == (i % STRIDE == 0 ? plain[i / STRIDE] : -77.0F));
    }
    data_set_free(&set);
}

/* ---- shifts ---- */

static bool is_shifted(const data_set *set, size_t image, const float *out, int down, int right) {
    const uint32_t height = graph_shape_height(set->shape);
    const uint32_t width = graph_shape_width(set->shape);
    for (uint32_t c = 0; c < graph_shape_channels(set->shape); c++) {
        for (int y = 0; y < (int)height; y++) {
            for (int x = 0; x < (int)width; x++) {
                double expected = tone_of(pixel_of(set, image, c, y - down, x - right));
                double got = (double)out[(c * height + (size_t)y) * width + (size_t)x];
                if (fabs(got - expected) > 1e-6)
                    return false;
            }
        }
    }
    return true;
}

/* Each image is one of its (2s + 1)^2 shifts, and all of these are as likely:
 * 4500 draws over 9 are 500 each with a deviation of 21. */
static void every_shift_is_as_likely(void **state) {
    (void)state;
    data_set set = make_set(1, 2, 7, 5);
    const uint32_t zeros[4500] = {0};
    data_view view = view_of(&set, 1, 0.0F);
    unsigned seen[9] = {0};
    float out[70];
    view.order = zeros;
    for (size_t place = 0; place < 4500; place++) {
        int matches = 0;
        view.epoch = place;
        data_view_fill(&view, place, out, 1);
        for (int i = 0; i < 9; i++) {
            bool match = is_shifted(&set, 0, out, i / 3 - 1, i % 3 - 1);
            seen[i] += match;
            matches += match;
        }
        assert_int_equal(matches, 1);
    }
    for (int i = 0; i < 9; i++)
        assert_in_range(seen[i], 500 - 126, 500 + 126);
    data_set_free(&set);
}

/* Shifts of up to and beyond the whole image. */
static void shifts_may_leave_nothing(void **state) {
    (void)state;
    enum { MOST = 9 };
    data_set set = make_set(400, 1, 4, 6);
    data_view view = view_of(&set, MOST, 0.0F);
    float out[24];
    size_t blank = 0;
    for (size_t image = 0; image < set.count; image++) {
        bool matched = false;
        data_view_fill(&view, image, out, 1);
        blank += is_shifted(&set, image, out, MOST, MOST);
        for (int i = 0; i < (2 * MOST + 1) * (2 * MOST + 1) && !matched; i++)
            matched =
                is_shifted(&set, image, out, i / (2 * MOST + 1) - MOST, i % (2 * MOST + 1) - MOST);
        assert_true(matched);
    }
    assert_in_range(blank, 200, 380); /* 1 - 7/19 * 11/19 of 400 are 315 */
    data_set_free(&set);
}

/* ---- flips and colours ---- */

/* Half of the images, each whole; with a shift, the flipped image is what is shifted. */
static void half_of_the_images_are_reversed(void **state) {
    (void)state;
    data_set set = make_set(400, 3, 4, 5);
    data_set reversed = make_set(400, 3, 4, 5);
    for (size_t i = 0; i < 400 * 60; i++)
        reversed.pixels[i] = set.pixels[i / 5 * 5 + (4 - i % 5)];
    float out[60];
    size_t flipped[2] = {0};
    for (uint32_t shift = 0; shift < 2; shift++) {
        data_view view = view_of(&set, shift, 0.0F);
        view.augmentation.flip = true;
        for (size_t image = 0; image < 400; image++) {
            bool plain = false;
            bool turned = false;
            data_view_fill(&view, image, out, 1);
            for (int i = 0; i < 9; i++) {
                const int down = shift == 0 ? 0 : i / 3 - 1;
                const int right = shift == 0 ? 0 : i % 3 - 1;
                plain = plain || is_shifted(&set, image, out, down, right);
                turned = turned || is_shifted(&reversed, image, out, down, right);
            }
            assert_true(plain != turned);
            flipped[shift] += turned;
        }
        assert_in_range(flipped[shift], 200 - 60, 200 + 60);
    }
    data_set_free(&set);
    data_set_free(&reversed);
}

/* Brightness alone scales, contrast keeps the mean grey, saturation the grey of each pixel. */
static void colours_change_as_defined(void **state) {
    (void)state;
    enum { PLANE = 64 };
    data_set set = make_set(200, 3, 8, 8);
    for (size_t i = 0; i < 200 * 3 * PLANE; i++)
        set.pixels[i] = (uint8_t)(90 + set.pixels[i] % 40); /* nothing is cut off */
    for (int kind = 0; kind < 3; kind++) {
        data_view view = view_of(&set, 0, 0.0F);
        view.tones = data_tones_of(0.0F, 1.0F);
        float *const factors[3] = {&view.augmentation.brightness, &view.augmentation.contrast,
                                   &view.augmentation.saturation};
        *factors[kind] = 0.5F;
        double least = 2.0;
        double most = 0.0;
        for (size_t image = 0; image < 200; image++) {
            const uint8_t *from = set.pixels + image * 3 * PLANE;
            float out[3 * PLANE];
            data_view_fill(&view, image, out, 1);
            double mean = 0.0;
            for (size_t i = 0; i < PLANE; i++)
                mean += (0.299 * from[i] + 0.587 * from[PLANE + i] + 0.114 * from[2 * PLANE + i]) /
                        PLANE;
            double factor = 0.0;
            for (size_t i = 0; i < 3 * PLANE; i++) {
                const size_t p = i % PLANE;
                const double grey =
                    0.299 * from[p] + 0.587 * from[PLANE + p] + 0.114 * from[2 * PLANE + p];
                const double about = kind == 0 ? 0.0 : kind == 1 ? mean : grey;
                const double got = 255.0 * (double)out[i] - about;
                if (fabs(from[i] - about) > 10)
                    factor = factor == 0.0 ? got / (from[i] - about) : factor;
                assert_true(factor == 0.0 || fabs(got - factor * (from[i] - about)) < 0.02);
            }
            least = fmin(least, factor);
            most = fmax(most, factor);
        }
        assert_true(least >= 0.5 - 1e-3 && least < 0.55 && most <= 1.5 + 1e-3 && most > 1.45);
    }
    data_set_free(&set);
}

/* What leaves 0..255 is cut off there. */
static void colours_stay_in_range(void **state) {
    (void)state;
    data_set set = make_set(50, 3, 8, 8);
    data_view view = view_of(&set, 0, 0.0F);
    view.augmentation.brightness = view.augmentation.contrast = view.augmentation.saturation = 1.0F;
    view.tones = data_tones_of(0.0F, 1.0F);
    float out[192];
    size_t cut = 0;
    for (size_t image = 0; image < 50; image++) {
        data_view_fill(&view, image, out, 1);
        for (size_t i = 0; i < 192; i++) {
            assert_true(out[i] >= 0.0F && out[i] <= 1.0F);
            cut += out[i] == 1.0F;
        }
    }
    assert_true(cut > 100);
    data_set_free(&set);
}

/* Floats are inputs as they are, shifted and turned. */
static void floats_are_not_normalised(void **state) {
    (void)state;
    data_set set = {.count = 2, .shape = graph_shape_image(1, 3, 3), .classes = 2};
    const float values[18] = {-1.5F, 0.25F, 7.0F};
    set.values = base_array_copy(values, 18, sizeof *values);
    data_view view = view_of(&set, 0, 0.0F);
    float out[9];
    data_view_fill(&view, 0, out, 1);
    assert_memory_equal(out, values, sizeof out);
    view.augmentation.flip = true;
    float seen[2] = {0};
    for (view.epoch = 0; view.epoch < 20; view.epoch++) {
        data_view_fill(&view, 0, out, 1);
        assert_true(out[1] == 0.25F);
        seen[out[0] == -1.5F] = out[0];
    }
    assert_true(seen[0] == 7.0F && seen[1] == -1.5F);
    data_set_free(&set);
}

/* ---- rotations ---- */

/* A linear ramp stays one under bilinear interpolation: the value of an inner
 * pixel is the coordinate it came from. */
static data_set make_ramp(bool down, uint32_t height, uint32_t width) {
    data_set set = make_set(40, 1, height, width);
    for (size_t i = 0; i < set.count * height * width; i++)
        set.pixels[i] = (uint8_t)(down ? i / width % height : i % width);
    return set;
}

static double coordinate(float out) {
    return 255.0 * ((double)out / (double)SCALE + (double)MEAN);
}

/* The angle of image `place`, from the middle of the ramps, which the rotation
 * turns into each other. */
static double measure_angle(const data_set *downwards, const data_set *rightwards, size_t place,
                            float rotate) {
    const size_t width = graph_shape_width(downwards->shape);
    const size_t middle = graph_shape_height(downwards->shape) / 2 * width + width / 2;
    float *y = base_array(elements_of(downwards), sizeof *y);
    float *x = base_array(elements_of(downwards), sizeof *x);
    data_view views[2] = {view_of(downwards, 0, rotate), view_of(rightwards, 0, rotate)};
    data_view_fill(&views[0], place, y, 1);
    data_view_fill(&views[1], place, x, 1);
    double along_y = coordinate(y[middle + 2]) - coordinate(y[middle - 2]);
    double along_x = coordinate(x[middle + 2]) - coordinate(x[middle - 2]);
    base_free(y);
    base_free(x);
    assert_true(fabs(hypot(along_y, along_x) - 4.0) < 1e-3);
    return atan2(-along_y, along_x);
}

static double naive_rotated(const data_set *set, size_t image, double angle, int y, int x) {
    double centre_y = 0.5 * (graph_shape_height(set->shape) - 1.0);
    double centre_x = 0.5 * (graph_shape_width(set->shape) - 1.0);
    double from_y = cos(angle) * (y - centre_y) - sin(angle) * (x - centre_x) + centre_y;
    double from_x = sin(angle) * (y - centre_y) + cos(angle) * (x - centre_x) + centre_x;
    double sum = 0.0;
    for (int dy = 0; dy < 2; dy++)
        for (int dx = 0; dx < 2; dx++) {
            int py = (int)floor(from_y) + dy;
            int px = (int)floor(from_x) + dx;
            sum += (1.0 - fabs(from_y - py)) * (1.0 - fabs(from_x - px)) *
                   pixel_of(set, image, 0, py, px);
        }
    return sum;
}

static void images_are_rotated_about_their_centre(void **state) {
    (void)state;
    const uint32_t height = 19;
    const uint32_t width = 23;
    const float degrees = 25.0F;
    data_set downwards = make_ramp(true, height, width);
    data_set rightwards = make_ramp(false, height, width);
    data_set set = make_set(40, 1, height, width);
    data_view view = view_of(&set, 0, degrees);
    float *out = base_array(elements_of(&set), sizeof *out);
    double least = 0.0;
    double most = 0.0;
    for (size_t image = 0; image < 40; image++) {
        double angle = measure_angle(&downwards, &rightwards, image, degrees);
        least = fmin(least, angle);
        most = fmax(most, angle);
        data_view_fill(&view, image, out, 1);
        for (int y = 0; y < (int)height; y++)
            for (int x = 0; x < (int)width; x++) {
                double expected = tone_of(naive_rotated(&set, image, angle, y, x));
                double got = (double)out[(size_t)y * width + (size_t)x];
                assert_true(fabs(got - expected) < 5e-3); /* the angle is measured to 1e-4 */
            }
    }
    const double bound = (double)degrees * 0.017453292519943295;
    assert_true(least > -bound - 1e-4 && least < -0.7 * bound);
    assert_true(most < bound + 1e-4 && most > 0.7 * bound);
    base_free(out);
    data_set_free(&set);
    data_set_free(&downwards);
    data_set_free(&rightwards);
}

/* Any angle and shift reads inside the image or nothing (asan) and gives values
 * between the tones of black and white. */
static void wild_distortions_stay_in_range(void **state) {
    (void)state;
    static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 1, 9}, {3, 8, 1}, {1, 2, 2}, {2, 13, 5}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        data_set set = make_set(300, shapes[s][0], shapes[s][1], shapes[s][2]);
        data_view view = view_of(&set, 3, 180.0F);
        float *out = base_array(elements_of(&set), sizeof *out);
        for (size_t image = 0; image < set.count; image++) {
            data_view_fill(&view, image, out, 1);
            for (size_t i = 0; i < elements_of(&set); i++)
                assert_true((double)out[i] > tone_of(0.0) - 1e-4 &&
                            (double)out[i] < tone_of(255.0) + 1e-4);
        }
        base_free(out);
        data_set_free(&set);
    }
}

/* ---- what decides ---- */

/* Three epochs' worth of all images, as one block of floats. */
static void fill_all(const data_set *set, data_view view, size_t batch, float *out) {
    for (size_t first = 0; first < set->count; first += batch) {
        view.first = first;
        for (size_t i = 0; i < batch && first + i < set->count; i++)
            data_view_fill(&view, i, out + (first + i) * elements_of(set), 1);
    }
}

static void seed_epoch_and_image_decide_alone(void **state) {
    (void)state;
    data_set set = make_set(64, 1, 9, 9);
    const size_t all = set.count * elements_of(&set);
    float *a = base_array(all, sizeof *a);
    float *b = base_array(all, sizeof *b);
    data_view view = view_of(&set, 2, 15.0F);
    fill_all(&set, view, 16, a);
    fill_all(&set, view, 7, b); /* batches do not matter */
    assert_memory_equal(a, b, all * sizeof *a);
    view.epoch++;
    fill_all(&set, view, 16, b);
    assert_memory_not_equal(a, b, all * sizeof *a);
    view.epoch--;
    view.seed++;
    fill_all(&set, view, 16, b);
    assert_memory_not_equal(a, b, all * sizeof *a);
    view.seed--;
    /* An image's place in the order does not matter. */
    uint32_t backwards[64];
    for (uint32_t i = 0; i < 64; i++)
        backwards[i] = 63 - i;
    view.order = backwards;
    fill_all(&set, view, 16, b);
    for (size_t i = 0; i < 64; i++)
        assert_memory_equal(a + i * elements_of(&set), b + (63 - i) * elements_of(&set),
                            elements_of(&set) * sizeof *a);
    /* Equal images are distorted otherwise. */
    memcpy(set.pixels + elements_of(&set), set.pixels, elements_of(&set));
    view.order = NULL;
    fill_all(&set, view, 16, a);
    assert_memory_not_equal(a, a + elements_of(&set), elements_of(&set) * sizeof *a);
    base_free(a);
    base_free(b);
    data_set_free(&set);
}

typedef struct shared_work {
    data_view view;
    float *out;
} shared_work;

static void fill_part(void *argument, unsigned thread, unsigned threads) {
    shared_work *work = argument;
    const size_t elements = elements_of(work->view.set);
    for (size_t i = thread; i < work->view.set->count; i += threads)
        data_view_fill(&work->view, i, work->out + i * elements, 1);
}

static void threads_share_a_view(void **state) {
    (void)state;
    data_set set = make_set(300, 1, 12, 10);
    const size_t all = set.count * elements_of(&set);
    float *alone = base_array(all, sizeof *alone);
    shared_work work = {view_of(&set, 1, 10.0F), base_array(all, sizeof *alone)};
    base_pool *pool;
    EXPECT_OK(base_pool_create(4, &pool, err));
    fill_all(&set, work.view, 300, alone);
    base_pool_run(pool, fill_part, &work);
    assert_memory_equal(alone, work.out, all * sizeof *alone);
    base_pool_destroy(pool);
    base_free(alone);
    base_free(work.out);
    data_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_normalised_in_order),
        cmocka_unit_test(strides_leave_other_lanes_alone),
        cmocka_unit_test(every_shift_is_as_likely),
        cmocka_unit_test(shifts_may_leave_nothing),
        cmocka_unit_test(half_of_the_images_are_reversed),
        cmocka_unit_test(colours_change_as_defined),
        cmocka_unit_test(colours_stay_in_range),
        cmocka_unit_test(floats_are_not_normalised),
        cmocka_unit_test(images_are_rotated_about_their_centre),
        cmocka_unit_test(wild_distortions_stay_in_range),
        cmocka_unit_test(seed_epoch_and_image_decide_alone),
        cmocka_unit_test(threads_share_a_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
