// Content-Type and its parameters, RFC 2231 included.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct ContentTypeTests {
    private func shown(_ value: String) -> [String]? {
        ContentType(parsing: wire(value)[...]).map { type in
            [text(type.type) + "/" + text(type.subtype)]
                + type.parameters.parameters.map { text($0.name) + "=" + text($0.value) }
        }
    }

    @Test(arguments: [
        ("text/plain", ["text/plain"]),
        ("text/plain; charset=us-ascii (Plain text)", ["text/plain", "charset=us-ascii"]),
        ("text/plain; charset=\"us-ascii\"; x=\"a\\\"b\"", ["text/plain", "charset=us-ascii", "x=a\"b"]),
        ("Multipart/Mixed;\n\tboundary=\"a b;c\"", ["Multipart/Mixed", "boundary=a b;c"]),
        ("application/x; name=my file.pdf; y=z", ["application/x", "name=my file.pdf", "y=z"]),
        ("text / plain ; ; =x; a ; b=c", ["text/plain", "b=c"]),
        ("a/b; n*0=one; n*1=two", ["a/b", "n=onetwo"]),
        ("a/b; n*1=two; n*0=one; n*3=four", ["a/b", "n=onetwo"]),
        ("a/b; n*=utf-8''%e2%82%ac", ["a/b", "n*=utf-8''%e2%82%ac"]),
        ("a/b; n*0*=utf-8''%e2%82; n*1*=%ac; n*2=\" x%\"", ["a/b", "n*=utf-8''%e2%82%ac%20x%25"]),
        ("a/b; n=plain; n*=utf-8''ext", ["a/b", "n*=utf-8''ext"]),
        ("a/b; n=1; n=2", ["a/b", "n=1"]),
        ("a/b; n=", ["a/b", "n="]),
    ])
    func typeIsRead(_ value: String, _ expected: [String]) {
        #expect(shown(value) == expected)
    }

    @Test(arguments: ["", "text", "text/", "/plain", "; charset=x", "\"text\"/plain"])
    func nonsenseIsNoType(_ value: String) {
        #expect(shown(value) == nil)
    }

    @Test(arguments: [
        ("attachment; filename=a.txt", "a.txt"), ("attachment; filename*=utf-8'en'%e2%82%ac%20rates", "€ rates"),
        ("attachment; filename*0*=iso-8859-1''%A3; filename*1=\"x y\"", "£x y"), ("inline; filename=\"=?utf-8?q?=C3=BC?=\"", "ü"),
        ("attachment; FILENAME=x%41", "x%41"), ("attachment; filename*=%zz", "%zz"),
    ])
    func filenameIsDecoded(_ value: String, _ expected: String) {
        let disposition = ContentDisposition(parsing: bytes(value)[...])
        #expect(disposition?.parameters.decoded("filename").map { text($0) } == expected)
    }

    @Test func parametersAreBounded() {
        let flood = bytes("a/b") + [UInt8](repeatElement(bytes(";n*1=x"), count: 50_000).joined())
        #expect(ContentType(parsing: flood[...])?.parameters.parameters.count == 1)
        let names = bytes("a/b") + (0..<5000).flatMap { bytes(";p\($0)=x") }
        #expect(ContentType(parsing: names[...])?.parameters.parameters.count == ParameterList.maximumSegments)
        let backwards = bytes("a/b") + (0..<900).reversed().flatMap { bytes(";n*\($0)=x") }
        #expect(ContentType(parsing: backwards[...])?.parameters.parameters.first?.value.count == 900)
    }

    @Test func boundaryIsTrimmedAndBounded() {
        #expect(ContentType(parsing: bytes("multipart/x; boundary=\" b \"")[...])?.boundary == bytes("b"))
        #expect(ContentType(parsing: bytes("multipart/x; boundary=\"\"")[...])?.boundary == nil)
        let long = bytes("multipart/x; boundary=") + [UInt8](repeating: 0x62, count: 2000)
        #expect(ContentType(parsing: long[...])?.boundary == nil)
    }

    @Test func languagesAreTags() {
        #expect(contentLanguages(bytes("en, de-CH (Swiss)")[...]) == [bytes("en"), bytes("de-CH")])
    }

    @Test func anyBytesAreRead() {
        var generator = SeededGenerator()
        for _ in 0..<5000 {
            let value = bytes("a/b") + generator.bytes(Int.random(in: 0...40, using: &generator), from: bytes(";=*01'%ab\"\\() \r\n"))
            if let type = ContentType(parsing: value[...]) { #expect(!type.type.isEmpty) }
        }
    }
}
