// What a server offers in its answer to EHLO.

internal import MailModel
internal import SASLProtocol

/// The extensions that our client can use (RFC 5321 §4.1.1.1); unknown keywords mean nothing.
struct ServerOffer: Sendable, Equatable {
    var pipelining = false
    var eightBitMIME = false
    var startTLS = false
    var offersSize = false
    /// nil where the server states none; 0 means none, too (RFC 1870 §3).
    var sizeLimit: Int?
    var mechanisms: [Mechanism] = []
    var smtpUTF8 = false
    var dsn = false
    var chunking = false
    var binaryMIME = false
    var requireTLS = false
    /// Seconds below which nothing is promised (RFC 2852 §4); nil without the extension.
    var deliverByMinimum: Int?
    var priority = false
    var limits = PeerLimits()

    init() {}

    /// The lines after the first.
    init(lines: some Sequence<[UInt8]>) {
        for line in lines {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let keyword = words.first else { continue }
            take(keyword, words.dropFirst())
        }
    }

    private mutating func take(_ keyword: ArraySlice<UInt8>, _ words: ArraySlice<ArraySlice<UInt8>>) {
        if keyword.equalsIgnoringASCIICase("PIPELINING") { pipelining = true }
        if keyword.equalsIgnoringASCIICase("8BITMIME") { eightBitMIME = true }
        if keyword.equalsIgnoringASCIICase("STARTTLS") { startTLS = true }
        if keyword.equalsIgnoringASCIICase("SMTPUTF8") { smtpUTF8 = true }
        if keyword.equalsIgnoringASCIICase("DSN") { dsn = true }
        if keyword.equalsIgnoringASCIICase("CHUNKING") { chunking = true }
        if keyword.equalsIgnoringASCIICase("BINARYMIME") { binaryMIME = true }
        if keyword.equalsIgnoringASCIICase("REQUIRETLS") { requireTLS = true }
        if keyword.equalsIgnoringASCIICase("MT-PRIORITY") { priority = true }
        if keyword.equalsIgnoringASCIICase("DELIVERBY") { deliverByMinimum = words.first.flatMap(\.decimalValue) ?? 0 }
        if keyword.equalsIgnoringASCIICase("LIMITS") { limits = PeerLimits(words: words) }
        if keyword.equalsIgnoringASCIICase("AUTH") { mechanisms += words.compactMap { Mechanism(name: $0) } }
        if keyword.equalsIgnoringASCIICase("SIZE") {
            offersSize = true
            sizeLimit = words.first.flatMap(\.decimalValue).flatMap { $0 > 0 ? $0 : nil }
        }
    }
}
