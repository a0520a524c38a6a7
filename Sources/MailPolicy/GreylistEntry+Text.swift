// An entry as a line of an event log: `greylist - at=… peer=… from=… recipient=… since=… count=…`, escaped as records are.

internal import MailModel

extension GreylistEntry {
    package static let verb = "greylist"

    /// Keys and values in their order; the keys are those of the event logs.
    package func fields(_ key: GreylistKey) -> [(key: String, value: [UInt8])] {
        [
            ("at", GreylistEntry.moment(lastSeen)), ("peer", key.network.text), ("from", key.sender), ("recipient", key.recipient),
            ("since", GreylistEntry.moment(firstSeen)), ("count", Array(String(passes).utf8)),
        ]
    }

    /// The line, without its line feed.
    package func line(_ key: GreylistKey) -> [UInt8] {
        var out = Array("\(GreylistEntry.verb) -".utf8)
        for field in fields(key) {
            out += " \(field.key)=".utf8
            for byte in field.value { GreylistEntry.append(byte, to: &out) }
        }
        return out
    }

    /// Seconds with three decimals, as all times of events.
    private static func moment(_ seconds: Int) -> [UInt8] { Array("\(max(seconds, 0)).000".utf8) }

    /// Everything but visible ASCII, and the percent sign, is `%XX`.
    private static func append(_ byte: UInt8, to out: inout [UInt8]) {
        if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") { return out.append(byte) }
        out += [UInt8(ascii: "%"), IPAddress.digit(byte >> 4), IPAddress.digit(byte & 15)]
    }

    /// Reads a line back; keys in any order, unknown ones skipped. Nil for what is no entry.
    package static func parse(_ line: some Collection<UInt8>) -> (key: GreylistKey, entry: GreylistEntry)? {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual(verb.utf8), words[1].elementsEqual("-".utf8) else { return nil }
        var values: [String: [UInt8]] = [:]
        for word in words.dropFirst(2) {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), let value = unescaped(word[word.index(after: equals)...])
            else { return nil }
            let key = String(decoding: word[..<equals], as: UTF8.self)
            guard values.updateValue(value, forKey: key) == nil else { return nil }
        }
        return entry(values)
    }

    /// The same from keys and values that were unescaped elsewhere.
    package static func entry(_ values: [String: [UInt8]]) -> (key: GreylistKey, entry: GreylistEntry)? {
        guard let network = values["peer"].flatMap({ IPNetwork(parsing: $0) }), let sender = values["from"],
            let recipient = values["recipient"], !recipient.isEmpty, let last = values["at"].flatMap(seconds),
            let first = values["since"].flatMap(seconds), let passes = values["count"]?.decimalValue
        else { return nil }
        let key = GreylistKey(network: network, sender: sender, recipient: recipient)
        return (key, GreylistEntry(firstSeen: first, lastSeen: last, passes: passes))
    }

    private static func seconds(_ text: [UInt8]) -> Int? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ $0.decimalValue != nil }) else { return nil }
        return parts[0].decimalValue
    }

    private static func unescaped(_ text: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                out.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }
}
