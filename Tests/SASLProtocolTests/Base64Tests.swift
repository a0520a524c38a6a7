// Base64 takes exactly what it prints.

import MailTestKit
import SASLProtocol
import Testing

struct Base64Tests {
    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfTheRFC(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == Array(encoded.utf8))
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "====", "=", "Zh==", "Zm9=", "Zm9v=", "Zm9v====", "Zm 9v", "Zm9v\r\n", "Zm-_",
        "Zg==Zg==",
        "Z=g=", "\u{0}AAA", "Zm9v!AAA",
    ])
    func anythingElseIsRefused(text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test func decodingUndoesEncoding() {
        var generator = SeededGenerator()
        for length in 0..<200 {
            let bytes = generator.bytes(length, from: Array(0...255))
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test func whatDecodesIsWhatItsBytesEncodeTo() {
        var generator = SeededGenerator()
        for _ in 0..<5000 {
            let text = generator.bytes(Int.random(in: 0...12, using: &generator), from: Array("AQgw+/=9z".utf8))
            if let bytes = Base64.decode(text) { #expect(Base64.encode(bytes) == text) }
        }
    }
}
