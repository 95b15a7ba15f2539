/* NumPy arrays: every element of what is accepted can be read. */
#include <stdlib.h>

#include "data/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    npy_array array;
    if (npy_parse("fuzz", data, size, &array, NULL) != ADMMNN_OK)
        return 0;
    if (array.count > size)
        abort();
    float sum = 0.0F;
    for (size_t i = 0; i < array.count; i++)
        sum += npy_float(&array, i);
    const volatile float read = sum;
    (void)read;
    return 0;
}
