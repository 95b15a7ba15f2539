/* What exported code is measured against: LeNet-5 in dense weights of 8 bits and activations of 8
 * bits, in the plain loops of a converter. Its flash, RAM and instructions do not depend on what
 * the weights are, so they are none: an array's first number keeps it among the constants. */
#include "net.h"

#include <stdint.h>

static const int8_t conv1[20 * 25] = {1}, conv2[50 * 500] = {1}, fc1[500 * 800] = {1},
                               fc2[10 * 500] = {1};
static const int32_t bias1[20] = {1}, bias2[50] = {1}, bias3[500] = {1}, bias4[10] = {1};

/* To 8 bits by a scale in 1/2^16. */
static int8_t narrow(int32_t sum, int32_t scale) {
    const int32_t x = (int32_t)(((int64_t)sum * scale) >> 16);
    return (int8_t)(x < -127 ? -127 : x > 127 ? 127 : x);
}

/* Kernels of 5 x 5 on [channels][side][side]. */
static void convolve(const int8_t *weights, const int32_t *biases, uint32_t filters,
                     uint32_t channels, uint32_t side, const int8_t *x, int8_t *y) {
    const uint32_t made = side - 4;
    for (uint32_t f = 0; f < filters; f++)
        for (uint32_t row = 0; row < made; row++)
            for (uint32_t column = 0; column < made; column++) {
                int32_t sum = biases[f];
                for (uint32_t c = 0; c < channels; c++)
                    for (uint32_t ky = 0; ky < 5; ky++)
                        for (uint32_t kx = 0; kx < 5; kx++)
                            sum += weights[((f * channels + c) * 5 + ky) * 5 + kx] *
                                   x[(c * side + row + ky) * side + column + kx];
                y[(f * made + row) * made + column] = narrow(sum, 512);
            }
}

static int8_t larger(int8_t a, int8_t b) {
    return a > b ? a : b;
}

static void pool(uint32_t channels, uint32_t side, const int8_t *x, int8_t *y) {
    for (uint32_t row = 0; row < channels * side / 2; row++, x += 2 * side)
        for (uint32_t i = 0; i < side; i += 2)
            *y++ = larger(larger(x[i], x[i + 1]), larger(x[side + i], x[side + i + 1]));
}

static void multiply(const int8_t *weights, const int32_t *biases, uint32_t rows, uint32_t columns,
                     int8_t least, const int8_t *x, int8_t *y) {
    for (uint32_t row = 0; row < rows; row++) {
        int32_t sum = biases[row];
        for (uint32_t i = 0; i < columns; i++)
            sum += weights[row * columns + i] * x[i];
        y[row] = larger(narrow(sum, 512), least);
    }
}

int net_predict(const float *in, float *out) {
    static int8_t values[20 * 576 + 20 * 144];
    int8_t *const pooled1 = values + 20 * 576;
    int8_t *const pooled2 = values + 50 * 64;
    int8_t *const hidden = values + 50 * 64 + 50 * 16;
    for (uint32_t i = 0; i < 784; i++)
        pooled1[i] = (int8_t)(in[i] * 127.0F);
    convolve(conv1, bias1, 20, 1, 28, pooled1, values);
    pool(20, 24, values, pooled1);
    convolve(conv2, bias2, 50, 20, 12, pooled1, values);
    pool(50, 8, values, pooled2);
    multiply(fc1, bias3, 500, 800, 0, pooled2, hidden);
    multiply(fc2, bias4, 10, 500, -127, hidden, values);
    for (uint32_t i = 0; i < 10; i++)
        out[i] = (float)values[i];
    return 0;
}
