// What `mailctl doctor` concludes, where the thing itself cannot be broken in a test: clock, kernel limits, filesystems, queue.

import Configuration
import Kernel
import MailModel
import SpoolFormat
import Testing
@testable import mailctl

@Suite struct DoctorTests {
    private let now = WallTime(seconds: 1_800_000_000)

    @Test func aClockThatIsYearsOffOrWasSetBackIsAProblem() {
        #expect(ClockCheck.judge(now: WallTime(seconds: 86_400), newest: nil, isSynchronised: true).map(\.result) == [.problem])
        let back = ClockCheck.judge(now: now, newest: now.adding(seconds: 7200), isSynchronised: true)
        #expect(back.map(\.result) == [.problem] && back[0].cause.contains("2 h 0 min before the newest log") && back[0].remedy.contains("set-ntp"))
        #expect(ClockCheck.judge(now: now, newest: now, isSynchronised: false).map(\.result) == [.warning])
        #expect(ClockCheck.judge(now: now, newest: now, isSynchronised: nil).map(\.result) == [.unknown])
        #expect(ClockCheck.judge(now: now, newest: now, isSynchronised: true).map(\.result) == [.ok])
    }

    @Test func limitsOfInotifyAreNamedWithTheCommandThatRaisesThem() {
        let found = DiskCheck.inotify(instances: 8, watches: 100)
        #expect(found.map(\.result) == [.warning, .warning])
        #expect(found[0].remedy == "sysctl -w fs.inotify.max_user_instances=128" && found[1].remedy.contains("max_user_watches"))
        #expect(DiskCheck.inotify(instances: 128, watches: 65536).map(\.result) == [.ok])
        #expect(DiskCheck.inotify(instances: nil, watches: nil).map(\.result) == [.unknown])
    }

    private static let kinds: [(UInt32, Finding.Result?)] = [(0xEF53, nil), (0x5846_5342, nil), (0x6969, .problem), (0x0102_1994, .warning), (0x1234, .warning)]

    @Test(arguments: kinds)
    func kindsOfFilesystems(type: UInt32, result: Finding.Result?) {
        #expect(DiskCheck.kind(type, "/spool").first?.result == result)
    }

    @Test func roomAndInodes() {
        let gibibyte = Int64(1 << 30)
        let system = { (free: Int64, inodes: Int64) in FileSystem(type: 0xEF53, size: 100 * gibibyte, free: free, inodes: 1_000_000, freeInodes: inodes) }
        #expect(DiskCheck.room(system(50 * gibibyte, 500_000), "/s").isEmpty)
        #expect(DiskCheck.room(system(gibibyte / 2, 500_000), "/s").map(\.result) == [.warning])
        #expect(DiskCheck.room(system(1 << 20, 500_000), "/s").map(\.result) == [.problem])
        #expect(DiskCheck.room(system(50 * gibibyte, 10_000), "/s").map(\.result) == [.warning])
        #expect(DiskCheck.room(system(50 * gibibyte, 10), "/s").map(\.result) == [.problem])
    }

    @Test func whatTheKernelCannotConfineAndWhatIsNotConfined() {
        #expect(SandboxCheck.kernel(landlock: 0).first?.cause.contains("not confined to their files") == true)
        #expect(SandboxCheck.kernel(landlock: 3).first?.cause.contains("ports") == true)
        #expect(SandboxCheck.kernel(landlock: 7).isEmpty)
        let confined = Array("Seccomp:\t2\nNoNewPrivs:\t1\nCapEff:\t0000000000000000\n".utf8)
        #expect(SandboxCheck.process(.smtpd, status: confined, nil).isEmpty)
        let open = Array("Seccomp:\t0\nNoNewPrivs:\t0\nCapEff:\t000001ffffffffff\n".utf8)
        let found = SandboxCheck.process(.smtpd, status: open, nil)
        #expect(found.map(\.result) == [.problem] && found[0].cause.contains("no seccomp filter") && found[0].cause.contains("capabilities"))
    }

    private func view(_ records: [RecordLine]) throws -> QueueView {
        var view = QueueView()
        for line in records {
            let record = try #require(RecordParser.fields(line.bytes[...]))
            if line.verb == .accept { view.accept(record) } else { view.apply(record) }
        }
        return view
    }

    @Test func mailThatWaitsLongAndProgramsThatAreBehind() throws {
        let id = try #require(QueueID(parsing: Array("s00003kfbr5zwd00001".utf8)))
        let accept = RecordLine(.accept, id).adding(.from, "a@b.example").adding(.to, "c@d.example").adding(.at, "1799999000.000")
        #expect(QueueCheck.age(QueueView(), now: now, giveUp: 400, "list").map(\.result) == [.ok])
        #expect(QueueCheck.age(try view([accept]), now: now, giveUp: 432_000, "list").map(\.result) == [.ok])
        #expect(QueueCheck.age(try view([accept]), now: now.adding(seconds: 7200), giveUp: 432_000, "list").map(\.result) == [.warning])
        #expect(QueueCheck.age(try view([accept]), now: now, giveUp: 400, "list").map(\.result) == [.problem])
        let unheard = QueueCheck.lag(try view([accept]), now: now) { "mailctl " + $0 }
        #expect(unheard.map(\.subject) == ["queued"] && unheard[0].remedy == "mailctl start queued")
        let route = RecordLine(.route, id).adding(.recipient, "c@d.example").adding(.final, "c@d.example").adding(.agent, "locald")
        let assign = RecordLine(.assign, id).adding(.recipient, "c@d.example").adding(.final, "c@d.example").adding(.agent, "locald").adding(.at, "1799999500.000")
        let late = QueueCheck.lag(try view([accept, route, assign]), now: now) { "mailctl " + $0 }
        #expect(late.map(\.subject) == ["locald"] && late[0].remedy == "mailctl start locald")
        #expect(QueueCheck.lag(try view([accept, route, assign]), now: WallTime(seconds: 1_799_999_501)) { $0 }.map(\.result) == [.ok])
    }

    @Test(arguments: [
        ("192.0.2.1", [192, 0, 2, 1]), ("::1", [UInt8](repeating: 0, count: 15) + [1]), ("2001:db8::5", [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [5]),
        ("1.2.3", nil), ("1.2.3.256", nil), (":::", nil), ("1:2:3:4:5:6:7", nil), ("x::", nil), ("1::2::3", nil), ("", nil),
    ] as [(String, [UInt8]?)])
    func addressesAsText(text: String, bytes: [UInt8]?) { #expect(PublicAddress.parse(text) == bytes) }

    @Test func addressesThatOthersCanReach() {
        for text in ["10.1.2.3", "127.0.0.1", "192.168.1.1", "172.20.0.1", "100.64.0.1", "169.254.1.1", "224.0.0.1", "fe80::1", "fd00::1", "::1"] {
            #expect(PublicAddress.parse(text).map(PublicAddress.isPublic) == false, "\(text)")
        }
        for text in ["8.8.8.8", "172.32.0.1", "2a00::1"] { #expect(PublicAddress.parse(text).map(PublicAddress.isPublic) == true, "\(text)") }
        #expect(PublicAddress.reversed([192, 0, 2, 1], in: "in-addr.arpa").display == "1.2.0.192.in-addr.arpa")
    }

    @Test func listeningSocketsAreReadAsTheKernelWritesThem() throws {
        let table = Array("  sl  local_address rem_address   st\n   0: 0100007F:0019 00000000:0000 0A 0\n   1: 0100007F:0050 0100007F:1234 01 0\n".utf8)
        let sockets = ListeningSockets(tables: [table, Array("  0: 00000000000000000000000001000000:0019 0:0 0A 0\n".utf8)])
        for (text, isHeard) in [("127.0.0.1:25", true), ("[::1]:25", true), ("127.0.0.1:80", false), ("127.0.0.1:26", false)] {
            #expect(sockets.contains(try #require(Endpoint(text))) == isHeard, "\(text)")
        }
    }

    @Test func namesOfCertificates() {
        #expect(CertificateCheck.covers("*.example.org", "mail.example.org") && CertificateCheck.covers("mail.example.org", "mail.example.org"))
        #expect(!CertificateCheck.covers("*.example.org", "a.mail.example.org") && !CertificateCheck.covers("*.example.org", "example.org"))
    }

    @Test func theNameOfTheMachineIsFoundWithoutAsking() {
        let hosts = Array("127.0.0.1 localhost\n127.0.1.1 mail.example.org mail # ours\n".utf8)
        #expect(HostName.choose(kernel: "mx1.example.net", hosts: hosts)?.description == "mx1.example.net")
        #expect(HostName.choose(kernel: "mail", hosts: hosts)?.description == "mail.example.org")
        #expect(HostName.choose(kernel: "other", hosts: hosts) == nil)
        #expect(HostName.choose(kernel: "localhost.localdomain", hosts: hosts) == nil)
    }
}
