// The text that Prometheus reads (exposition format 0.0.4): families in order, HELP and TYPE once, then their samples.

/// A page of metrics in the making.
package struct MetricsPage: Sendable {
    private var samples: [Metric: [String]] = [:]
    private let service: String

    /// `service`: the label of all samples.
    package init(service: String) { self.service = service }

    package mutating func add(_ metric: Metric, _ value: Int, _ labels: KeyValuePairs<String, String> = [:]) {
        samples[metric, default: []].append(MetricsPage.sample(metric.rawValue, self.labels(labels), "\(value)"))
    }

    /// A histogram whose values are microseconds, shown as seconds, or plain numbers.
    package mutating func add(_ metric: Metric, _ histogram: Histogram, isMicroseconds: Bool = false, _ given: KeyValuePairs<String, String> = [:]) {
        let shown = { (value: Int) in isMicroseconds ? MetricsPage.seconds(value) : "\(value)" }
        let common = labels(given)
        var lines: [String] = []
        var total = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            total += count
            lines.append(MetricsPage.sample(metric.rawValue + "_bucket", common + [("le", shown(bound))], "\(total)"))
        }
        lines.append(MetricsPage.sample(metric.rawValue + "_bucket", common + [("le", "+Inf")], "\(histogram.count)"))
        lines.append(MetricsPage.sample(metric.rawValue + "_sum", common, shown(histogram.sum)))
        lines.append(MetricsPage.sample(metric.rawValue + "_count", common, "\(histogram.count)"))
        samples[metric, default: []] += lines
    }

    private func labels(_ given: KeyValuePairs<String, String>) -> [(String, String)] {
        [("service", service)] + given.map { ($0.key, $0.value) }
    }

    private static func sample(_ name: String, _ labels: [(String, String)], _ value: String) -> String {
        name + "{" + labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",") + "} " + value
    }

    /// `0.000250` of 250 microseconds.
    private static func seconds(_ microseconds: Int) -> String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    }

    package var text: String { MetricsPage.text([self]) }

    /// Several programs' samples as one page.
    package static func text(_ pages: [MetricsPage]) -> String {
        var out = ""
        for metric in Metric.allCases {
            let lines = pages.flatMap { $0.samples[metric] ?? [] }
            guard !lines.isEmpty else { continue }
            out += "# HELP \(metric.rawValue) \(metric.help)\n# TYPE \(metric.rawValue) \(metric.kind.rawValue)\n"
            out += lines.joined(separator: "\n") + "\n"
        }
        return out
    }

    /// Takes the samples of a page that a program wrote of itself. It may have been captured: a line of no family of ours, of another
    /// service, said before, or with anything but plain labels and a number is left out.
    package mutating func take(_ page: [UInt8], except left: Set<Metric> = []) {
        for line in page.split(separator: 0x0A) where isPlain(line) {
            let name = String(decoding: line.prefix { $0 != UInt8(ascii: "{") }, as: UTF8.self)
            let family = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.utf8.count)) }
            guard let metric = Metric(rawValue: name) ?? family.flatMap(Metric.init(rawValue:)), !left.contains(metric) else { continue }
            let text = String(decoding: line, as: UTF8.self), sample = text.prefix { $0 != " " }
            if samples[metric]?.contains(where: { $0.hasPrefix(sample + " ") }) != true { samples[metric, default: []].append(text) }
        }
    }

    /// `name{service="smtpd",log="mail"} 12.5`, of this page's service.
    private func isPlain(_ line: some Collection<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        let (name, rest) = (text.prefix { $0 != "{" }, text.drop { $0 != "{" })
        guard rest.hasPrefix("{service=\"\(service)\""), let end = rest.lastIndex(of: "}"), text.utf8.count < 512 else { return false }
        let value = rest[end...].dropFirst()
        let isNumber = value.hasPrefix(" ") && value.count > 1 && value.dropFirst().utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        let labels = rest[..<end].dropFirst().split(separator: ",", omittingEmptySubsequences: false)
        return isNumber && name.utf8.allSatisfy(MetricsPage.isWord) && labels.allSatisfy { label in
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].count >= 2, parts[1].hasPrefix("\""), parts[1].hasSuffix("\"") else { return false }
            return parts[0].utf8.allSatisfy(MetricsPage.isWord) && parts[1].dropFirst().dropLast().utf8.allSatisfy { MetricsPage.isWord($0) || "+-.".utf8.contains($0) }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x30 && byte <= 0x39) || byte == UInt8(ascii: "_")
    }
}
