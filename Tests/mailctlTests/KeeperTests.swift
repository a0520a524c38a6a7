// What mailctl says where another supervisor keeps the services, and how it finds them.

import Configuration
import Kernel
import Testing
@testable import mailctl

@Suite struct KeeperTests {
    @Test(arguments: [
        ("systemd", "systemctl restart martlet-smtpd.service martlet-imapd.service"), ("runsv", "sv restart martlet-smtpd martlet-imapd"),
        ("s6-supervise", "s6-svc -r SCANDIR/martlet-smtpd"), ("bash", "ask bash"),
    ])
    func theCommandIsNamed(keeper: String, command: String) {
        #expect(Keeper(name: keeper).remedy(.restart, [.smtpd, .imapd]).contains(command))
    }

    @Test func withoutNamesSystemdsTargetIsMeant() {
        #expect(Keeper(name: "systemd").remedy(.stop, []).contains("`systemctl stop martlet.target`"))
    }

    private func process(_ words: String...) -> ProcessTable.Process {
        ProcessTable.Process(pid: 7, uid: 0, arguments: words.map { Array($0.utf8) }, parentName: nil, started: nil)
    }

    @Test func aServiceIsKnownByProgramAndNameAndAFrontIsNone() {
        let imapd = process("/usr/libexec/martlet/imapd", "--config", "/etc/martlet/martlet.toml", "--service", "imapd")
        #expect(imapd.isService(.imapd) && !imapd.isService(.pop3d))
        #expect(imapd.configuration == "/etc/martlet/martlet.toml")
        #expect(!process("/usr/libexec/martlet/imapd", "--config", "x", "--service", "imapd", "--front", "5").isService(.imapd))
        let submission = process("smtpd", "--service", "submission")
        #expect(submission.isService(.submission) && !submission.isService(.smtpd))
        #expect(!process("grep", "--service", "smtpd").isService(.smtpd) && !process("smtpd", "--service").isService(.smtpd))
    }

    @Test func thisProcessIsInTheTable() throws {
        let own = try #require(ProcessTable.all().first { $0.pid == Identity.processID })
        #expect(own.uid == Identity.userID)
        let started = try #require(own.started)
        #expect(started <= .now() && WallTime.now().seconds - started.seconds < 86_400 * 30)
    }
}
