// The types of values: what they take, what they refuse, and that they print what they take.

import Configuration
import Kernel
import Testing

@Suite struct ConfigurationValueTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("64 KiB", 65536), ("64K", 65536), ("64 kb", 65536), ("50 MiB", 52_428_800), ("1GiB", 1 << 30),
        ("7 bytes", 7),
    ])
    func sizes(_ text: String, _ bytes: Int) {
        let value = ByteCount(.text(text))
        #expect(value == ByteCount(bytes: bytes))
        #expect(value.flatMap { ByteCount($0.literal) } == value)
    }

    @Test(arguments: ["", "MiB", "-1", "1.5 MiB", "1 TiB", "1 MiB x", "9999999999999", "999999999999 GiB", "0x10"])
    func noSizes(_ text: String) { #expect(ByteCount(.text(text)) == nil) }

    @Test(arguments: [
        ("0 s", 0), ("5", 5000), ("250ms", 250), ("90 s", 90_000), ("5 min", 300_000), ("5m", 300_000), ("4 hours", 14_400_000),
        ("5 d", 432_000_000), ("2 w", 1_209_600_000),
    ])
    func times(_ text: String, _ milliseconds: Int) {
        let value = Duration(.text(text))
        #expect(value == .milliseconds(milliseconds))
        #expect(value?.wholeMilliseconds == milliseconds)
        #expect(value.flatMap { Duration($0.literal) } == value)
    }

    @Test(arguments: ["", "s", "-5 s", "5 years", "1.5 h", "1 h 30 min", "9999999999999 s"])
    func noTimes(_ text: String) { #expect(Duration(.text(text)) == nil) }

    @Test func aNumberAloneIsSecondsOrBytes() {
        #expect(Duration(.integer(30)) == .seconds(30))
        #expect(Duration(.integer(-1)) == nil)
        #expect(ByteCount(.integer(30)) == ByteCount(bytes: 30))
    }

    @Test(arguments: [
        ("127.0.0.1:25", "127.0.0.1", 25, true), ("[::1]:993", "::1", 993, true), ("*:25", "0.0.0.0", 25, true),
        ("mail.example.org:2525", "mail.example.org", 2525, false), ("[::]:65535", "::", 65535, true),
        ("1.2.3.256:1", "1.2.3.256", 1, false),
    ])
    func endpoints(_ text: String, _ host: String, _ port: Int, _ numeric: Bool) throws {
        let value = try #require(Endpoint(text))
        #expect(value.host == host)
        #expect(Int(value.port) == port)
        #expect(value.isNumeric == numeric)
        #expect(Endpoint(value.description) == value)
    }

    @Test(arguments: [
        "", ":", ":25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+25", "::1:25", "[::1]", "[1.2.3.4]:25",
        "a b:25", "host:2 5", "[::1%lo]:25", "é:25",
    ])
    func noEndpoints(_ text: String) { #expect(Endpoint(text) == nil) }

    @Test(arguments: ["inet:127.0.0.1:11332", "inet:[::1]:8891", "unix:/run/rspamd/milter.sock"])
    func filterSockets(_ text: String) throws {
        let value = try #require(FilterSocket(.text(text)))
        #expect(value.literal == .text(text))
    }

    @Test(arguments: [
        "", "127.0.0.1:11332", "inet:localhost:11332", "inet:127.0.0.1", "inet:11332@127.0.0.1", "unix:run/milter", "unix:", "local:/run/milter",
        "unix:/" + String(repeating: "x", count: 107),
    ])
    func noFilterSockets(_ text: String) { #expect(FilterSocket(.text(text)) == nil) }

    @Test(arguments: [
        ("/a/b", "c", "/a/b/c"), ("/a/b", "/c", "/c"), ("/a/b", "..", "/a"), ("/a/b", "../../..", "/"), ("/a", "./x//y/", "/a/x/y"),
        ("a", "../../b", "../b"), ("a", "..", "."),
    ])
    func paths(_ folder: String, _ path: String, _ result: String) {
        #expect(Path(path).resolved(from: Path(folder)) == Path(result))
    }

    @Test func loadedPathsAreAbsolute() {
        var configuration = Configuration()
        configuration.resolvePaths(from: "/srv/martlet/etc")
        #expect(configuration.paths.root == "/srv/martlet")
        #expect(configuration.paths.spool == "/srv/martlet/spool")
        for key in ConfigurationKey.all where key.kind == Path.kind {
            #expect(key.value(in: configuration).plain.hasPrefix("/srv/martlet"), "\(key.name)")
        }
    }

    @Test(arguments: [("a\"b\\c", #""a\"b\\c""#), ("tab\tnew\nline", #""tab\tnew\nline""#), ("\u{01}\u{7F}", #""\u0001\u007f""#)])
    func textsArePrintedAsTOML(_ text: String, _ toml: String) {
        #expect(ConfigurationLiteral.text(text).description == toml)
    }

    @Test(arguments: [("hostnam", "hostname"), ("retry.inital", "retry.initial"), ("limits.mesage_sise", "limits.message_size")])
    func nearNames(_ wrong: String, _ meant: String) {
        #expect(nearestName(to: wrong, among: ConfigurationKey.all.map(\.name)) == meant)
    }

    @Test func farNamesAreNotSuggested() {
        #expect(nearestName(to: "zzzzzzzzz", among: ConfigurationKey.all.map(\.name)) == nil)
    }

    @Test func everyListenerBelongsToOneServiceOnly() {
        #expect(Service.allCases.flatMap(\.listeners).count == ListenerName.allCases.count)
        #expect(Service.submission.program == "smtpd")
        #expect(!Service.queued.isNetworkService)
    }
}
