/* Known answers: FIPS 180-4's examples, the check value of CRC-32. */
#include "support.h"

#include "base/hash.h"
#include "base/memory.h"

static void sha256(void **state) {
    (void)state;
    char digest[65];
    base_sha256("", 0, digest);
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    base_sha256("abc", 3, digest);
    assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    base_sha256(two, strlen(two), digest);
    assert_string_equal(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = base_array(1000000, 1);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    base_sha256(million, 1000000, digest);
    assert_string_equal(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    base_digest *sum = base_digest_open();
    assert_non_null(sum);
    for (size_t at = 0, piece = 0; at < 1000000; at += piece, piece = piece * 2 + 1)
        base_digest_add(sum, million + at, piece < 1000000 - at ? piece : 1000000 - at);
    base_digest_close(sum, digest);
    assert_string_equal(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    base_free(million);
}

static void crc32(void **state) {
    (void)state;
    assert_int_equal(base_crc32("", 0), 0);
    assert_int_equal(base_crc32("123456789", 9), 0xcbf43926U);
    const uint8_t zeros[32] = {0};
    assert_int_equal(base_crc32(zeros, 32), 0x190a55adU);
    assert_int_equal(base_crc32_more(base_crc32_more(0, "1234", 4), "56789", 5), 0xcbf43926U);
    assert_int_equal(base_crc32_more(0xcbf43926U, NULL, 0), 0xcbf43926U);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(crc32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
