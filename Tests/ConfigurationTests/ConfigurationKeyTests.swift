// The table of keys is whole: each row's default obeys its own rule, prints, and comes back; the sample is the table.

import Configuration
import Kernel
import Testing

@Suite struct ConfigurationKeyTests {
    private func parse(_ text: String) throws -> Configuration { try Configuration.parse(text, file: "test.toml") }

    @Test func anEmptyFileMeansTheDefaults() throws {
        #expect(try parse("") == Configuration())
    }

    @Test func theSampleParsesToTheDefaults() throws {
        #expect(try parse(ConfigurationSample.text()) == Configuration())
    }

    @Test func theSampleWithItsCommentsTakenAwayParsesToTheDefaults() throws {
        let lines = ConfigurationSample.text().split(separator: "\n", omittingEmptySubsequences: false)
        let bare = lines.map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
        }
        #expect(bare.filter { $0.contains(" = ") && !$0.hasPrefix("#") }.count == ConfigurationKey.all.count)
        #expect(try parse(bare.joined(separator: "\n")) == Configuration())
    }

    @Test(arguments: ConfigurationKey.all.map(\.name))
    func aDefaultIsAllowedAndComesBack(_ name: String) throws {
        let key = try #require(ConfigurationKey.named(name))
        let text = (key.table.isEmpty ? "" : "[\(key.table)]\n") + "\(key.lastName) = \(key.defaultValue)\n"
        let configuration = try parse(text)
        #expect(configuration == Configuration())
        #expect(key.value(in: configuration) == key.defaultValue)
        #expect(!key.documentation.isEmpty)
        #expect(key.documentation.split(separator: "\n").allSatisfy { $0.utf8.count <= 120 })
    }

    @Test func noTwoKeysShareAPlace() {
        // Each row's other value must change that row's answer and no other's.
        let changed: [ConfigurationLiteral] = [
            .boolean(true), .boolean(false), .integer(42), .integer(200), .integer(5000), .text("example.org"), .text("a@example.org"),
            .text("77 s"), .text("2 d"), .text("3 KiB"), .text("80 KiB"), .text("-"), .text("always"), .text("required"),
            .text("192.0.2.1:99"), .list([.text("192.0.2.1:99")]), .list([.text("PLAIN")]), .text("other"),
            .list([.text("inet:192.0.2.1:99")]), .text("pass"),
            .text("modern"), .list([.text("192.0.2.0/24")]), .list([.text("DSN")]), .text("envelope"), .text("note"), .text("defer"), .text("refuse"),
            .text("suspects"), .text("all"), .text("12 per 1 h"), .list([.text("dnsbl.example.net 10")]), .integer(-5),
            .list([.text("example.net required")]), .list([.text("example.org archive@example.org")]), .list([.text("/run/lists/lmtp.sock")]),
        ]
        for key in ConfigurationKey.all {
            let prefix = key.table.isEmpty ? "" : "[\(key.table)]\n"
            let other = changed.lazy.filter { $0 != key.defaultValue }.compactMap { literal in
                try? self.parse(prefix + "\(key.lastName) = \(literal)\n")
            }.first { $0 != Configuration() }
            guard let other else {
                Issue.record("no other value of \(key.name) was taken")
                continue
            }
            let different = ConfigurationKey.all.filter { $0.value(in: other) != $0.defaultValue }.map(\.name)
            #expect(different == [key.name])
        }
    }

    @Test func everyTableStandsTogether() {
        #expect(Set(ConfigurationKey.tables).count == ConfigurationKey.tables.count)
        #expect(ConfigurationKey.tables.first == "")
    }

    @Test func aWholeFileComesBackFromItsValues() throws {
        var values = try #require(ConfigurationSample.development(basePort: 4000))
        values["hostname"] = .text("mail.example.org")
        values["routing.subaddress_separator"] = .text("")
        values["remote.smarthost"] = .text("relay.example.net:2525")
        values["limits.message_size"] = .integer(70_000)
        values["retention.expunged"] = .text("0 s")
        let first = try parse(ConfigurationSample.text(values))
        let printed = Dictionary(uniqueKeysWithValues: ConfigurationKey.all.map { ($0.name, $0.value(in: first)) })
        #expect(try parse(ConfigurationSample.text(printed)) == first)
        #expect(first.limits.messageSize == ByteCount(bytes: 70_000))
        #expect(first.routing.subaddressSeparator == nil)
        #expect(first.remote.smarthost?.port == 2525)
    }

    @Test func theHighestDevelopmentPortIsAPort() {
        #expect(ConfigurationSample.development(basePort: 65535 - 995) != nil)
        #expect(ConfigurationSample.development(basePort: 65535 - 994) == nil)
    }
}
