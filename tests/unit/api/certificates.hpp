// Certificates for tests, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace certificates {

template <class T, void (*Free)(T*)>
struct Freed {
    void operator()(T* pointer) const { Free(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;

inline void must(bool done) {
    if (!done)
        throw std::runtime_error("OpenSSL cannot make the test's certificate");
}

inline std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

struct Signed {
    Certificate certificate;
    Key key;

    std::string pem() const {
        BIO* bio = BIO_new(BIO_s_mem());
        must(PEM_write_bio_X509(bio, certificate.get()) == 1);
        return text_of(bio);
    }
    std::string key_pem() const {
        BIO* bio = BIO_new(BIO_s_mem());
        must(PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
        return text_of(bio);
    }
};

inline void add(X509* to, int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    must(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/// Valid from `begin` to `end`, in seconds from now. `names`: "DNS:api.example,IP:10.0.0.1"; without an issuer it is an
/// authority, signed by itself.
inline Signed make(const std::string& common_name, const std::string& names, const Signed* issuer, long begin = -3600,
                   long end = 3600) {
    Signed made{Certificate(X509_new()), Key(EVP_EC_gen("P-256"))};
    X509* certificate = made.certificate.get();
    must(certificate != nullptr && made.key != nullptr && X509_set_version(certificate, 2) == 1);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), begin);
    X509_gmtime_adj(X509_getm_notAfter(certificate), end);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    const Signed& by = issuer == nullptr ? made : *issuer;
    X509_set_issuer_name(certificate, X509_get_subject_name(by.certificate.get()));
    X509_set_pubkey(certificate, made.key.get());
    if (issuer == nullptr)
        add(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (!names.empty())
        add(certificate, NID_subject_alt_name, names);
    must(X509_sign(certificate, by.key.get(), EVP_sha256()) > 0);
    return made;
}

}  // namespace certificates
