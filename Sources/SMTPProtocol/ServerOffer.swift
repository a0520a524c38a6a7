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

    init() {}

    /// The lines after the first.
    init(lines: some Sequence<[UInt8]>) {
        for line in lines {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let keyword = words.first else { continue }
            if keyword.equalsIgnoringASCIICase("PIPELINING") { pipelining = true }
            if keyword.equalsIgnoringASCIICase("8BITMIME") { eightBitMIME = true }
            if keyword.equalsIgnoringASCIICase("STARTTLS") { startTLS = true }
            if keyword.equalsIgnoringASCIICase("AUTH") {
                mechanisms += words.dropFirst().compactMap { Mechanism(name: $0) }
            }
            if keyword.equalsIgnoringASCIICase("SIZE") {
                offersSize = true
                sizeLimit = words.dropFirst().first.flatMap(\.decimalValue).flatMap { $0 > 0 ? $0 : nil }
            }
        }
    }
}
