// A page of metrics that joins those of other programs believes none of them more than its own numbers.

import Testing

@testable import SpoolFormat

@Suite struct MetricsPageTests {
    private func taken(_ page: String) -> [Substring] {
        var joined = MetricsPage(service: "smtpd")
        joined.take(Array(page.utf8), except: [.up])
        return joined.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test func whatAProgramWritesIsTaken() {
        var page = MetricsPage(service: "smtpd")
        page.add(.accepted, 3)
        page.add(.batch, Histogram(bounds: [1, 2]), ["log": "mail"])
        #expect(taken(page.text) == page.text.split(separator: "\n").filter { !$0.hasPrefix("#") })
    }

    @Test(arguments: [
        "martlet_messages_accepted_total{service=\"queued\"} 1", "martlet_messages_accepted_total{service=\"smtpd\"} \u{1B}[2J",
        "martlet_messages_accepted_total{service=\"smtpd\",x=\"\u{1B}[2J\"} 1", "martlet_messages_accepted_total{service=\"smtpd\"}",
        "martlet_messages_accepted_total{service=\"smtpd\",x=\"a\"b\"} 1", "martlet_messages_accepted_total{service=\"smtpd\",} 1",
        "martlet_service_up{service=\"smtpd\"} 1", "other_total{service=\"smtpd\"} 1", "martlet_messages_accepted_total 1", "",
    ])
    func whatNoProgramWritesIsLeftOut(line: String) { #expect(taken(line).isEmpty, "\(line)") }

    @Test func aSampleIsTakenOnce() {
        #expect(taken("martlet_messages_accepted_total{service=\"smtpd\"} 1\nmartlet_messages_accepted_total{service=\"smtpd\"} 2\n").count == 1)
    }
}
