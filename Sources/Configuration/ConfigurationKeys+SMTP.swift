// The rows for what SMTP offers.

extension ConfigurationKey {
    static let smtp = [
        ConfigurationKey("smtp.extensions", \.smtp.extensions, default: SMTPExtension.allCases, reload: .live, """
            What EHLO offers beyond PIPELINING, SIZE, 8BITMIME, ENHANCEDSTATUSCODES, STARTTLS and AUTH. REQUIRETLS only under
            TLS, FUTURERELEASE only on submission, BINARYMIME only with CHUNKING.
            """),
        ConfigurationKey("smtp.longest_hold", \.smtp.longestHold, default: .seconds(2_592_000),
            within: .range(.seconds(60)...(.seconds(31_536_000))), reload: .live, """
            How long a user may have a message held before it is sent (FUTURERELEASE, RFC 4865).
            """),
    ]
}
