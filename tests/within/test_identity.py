"""Who a device is, and the small files of the originals."""

import json
import stat
import threading
import uuid

import pytest

from tollbridge.faces.within.errors import BadArgument
from tollbridge.ground.ids import RandomIds, SeededIds
from tollbridge.within.identity import (
    PspKey,
    Signer,
    application,
    card_from,
    device_id,
    profile,
    psp_config,
    sdk_config,
    signed_by,
)

CARD = {"firstName": "Ada", "lastName": "Field", "expMonth": 11, "expYear": 2033,
        "cardNumber": "4444333322221111", "type": "Card", "cvc": "987"}  # fmt: skip
DEVICE = {
    "device": {
        "name": "pump-17",
        "description": "Garden pump",
        "producer": {
            "services": [
                {
                    "serviceID": 3,
                    "name": "Water",
                    "description": "by the litre",
                    "serviceType": "water",
                    "prices": [
                        {
                            "priceID": 1,
                            "priceDescription": "Litre",
                            "pricePerUnit": {"amount": 12, "currencyCode": "GBP"},
                            "unitID": 2,
                            "unitDescription": "litre",
                        }
                    ],
                }
            ],
            "config": {"pspMerchantServiceKey": "T_S_secret", "pspMerchantClientKey": "T_C_key"},
        },
        "consumer": {
            "hceCard": {"firstname": "Ada", "lastname": "Field", "cardnumber": "4444333322221111"},
            "config": {"deviceDiscoveryTimeout": 10000},
            "autoConsume": {"deviceUid": "d", "serviceID": 3, "unitID": 2, "maximumAmount": 500},
        },
    }
}


def written(folder, value, name="file.json"):
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


@pytest.mark.req("WX-032", "W-036")
def test_a_device_keeps_the_identity_it_was_given(tmp_path):
    file = tmp_path / "uuid.txt"
    first = device_id(file, RandomIds())
    assert uuid.UUID(first).version == 4
    assert file.read_bytes() == first.encode()
    assert device_id(file, RandomIds()) == first
    file.write_text("6f1d2c34-8a5b-407f-7571-2b7e5d904a11\n")  # no right variant: theirs is not
    assert device_id(file, RandomIds()) == "6f1d2c34-8a5b-407f-7571-2b7e5d904a11"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.req("WX-032")
def test_two_that_start_at_once_in_one_folder_share_an_identity(tmp_path):
    found = []
    starters = [
        threading.Thread(target=lambda s=seed: found.append(
            device_id(tmp_path / "uuid.txt", SeededIds(s))))
        for seed in range(8)
    ]  # fmt: skip
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.req("WX-032")
@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_an_unreadable_identity_is_told_with_advice(tmp_path, content):
    file = tmp_path / "uuid.txt"
    file.write_bytes(content)
    with pytest.raises(BadArgument, match="delete the file") as refused:
        device_id(file, RandomIds())
    assert refused.value.id == "UUID_FILE_READ"
    assert str(refused.value).startswith("UUID_FILE_READ, CORE, ")


@pytest.mark.req("WX-032")
def test_an_identity_that_cannot_be_kept_is_told(tmp_path):
    with pytest.raises(BadArgument) as refused:
        device_id(tmp_path / "nowhere" / "uuid.txt", RandomIds())
    assert refused.value.id == "UUID_FILE_SAVE"


def test_a_device_signs_with_a_key_of_its_own_that_others_cannot_read(tmp_path):
    file = tmp_path / "within.key"
    signer = Signer.open(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Signer.open(file)
    assert again.public_key == signer.public_key
    signature = signer.sign(b"promise")
    assert again.sign(b"promise") == signature
    assert signed_by(signer.public_key, b"promise", signature)
    assert not signed_by(signer.public_key, b"promises", signature)
    assert not signed_by(Signer.open(tmp_path / "other.key").public_key, b"promise", signature)
    assert not signed_by("no key", b"promise", signature)
    assert signer.secret("tokens") == again.secret("tokens")
    assert signer.secret("tokens") != signer.secret("other")
    assert len(signer.secret("tokens")) == 32


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"])
def test_a_broken_key_is_told(tmp_path, content):
    file = tmp_path / "within.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadArgument, match="cannot use the device's key"):
        Signer.open(file)


def test_a_key_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "within.key"
    Signer.open(file)
    file.chmod(0o640)
    with pytest.raises(BadArgument, match="others may read"):
        Signer.open(file)


@pytest.mark.req("WX-033")
def test_the_sdks_configuration_is_a_list_of_keys_and_values(tmp_path):
    assert sdk_config(tmp_path / "wpwconfig.json") == {}
    items = [{"key": "wsLogEnable", "value": "true"}, {"Key": "wsLogPort", "Value": "8181"}]
    assert sdk_config(written(tmp_path, items)) == {"wsLogEnable": "true", "wsLogPort": "8181"}


@pytest.mark.req("WX-033")
@pytest.mark.parametrize(
    "content", ["{}", "[1]", '[{"key":1}]', "", "[", '[{"key":"a","value":true}]']
)
def test_a_broken_configuration_is_told(tmp_path, content):
    with pytest.raises(BadArgument, match="CONVERT_VALUE, CONFIG"):
        sdk_config(written(tmp_path, content))


@pytest.mark.req("WX-068", "WX-035")
def test_an_applications_configuration_is_read_and_shows_no_secret(tmp_path):
    file = written(
        tmp_path,
        {
            "host": "127.0.0.1",
            "port": 9090,
            "callbackPort": 9091,
            "pspConfig": {"psp_name": "worldpayonlinepayments", "merchant_client_id": "T_C_1",
                          "merchant_service_key": "T_S_hidden"},
            "hceCard": CARD,
            "deviceName": "pump",
            "interfaceAddr": None,
        },
    )  # fmt: skip
    found = application(file)
    assert (found.device_name, found.host, found.port) == ("pump", "127.0.0.1", 9090)
    assert (found.interface_addr, found.callback_port, found.log_file) == ("", 9091, "")
    assert found.psp[PspKey.MERCHANT_CLIENT_KEY] == "T_C_1"
    assert found.card == card_from(CARD)
    for hidden in ("4444333322221111", "987", "T_S_hidden"):
        assert hidden not in repr(found)


def test_the_right_spelling_of_a_key_wins():
    both = {"merchant_client_id": "wrong", "merchant_client_key": "right"}
    assert psp_config(both) == {"merchant_client_key": "right"}


@pytest.mark.req("WX-068")
def test_a_devices_profile_is_read(tmp_path):
    found = profile(written(tmp_path, DEVICE))
    assert (found.name, found.description) == ("pump-17", "Garden pump")
    (service,) = found.producer.services
    assert service.details.service_type == "water"
    assert service.prices[1].per_unit.amount_minor == 12
    assert found.producer.psp["hte_private_key"] == "T_S_secret"
    assert found.consumer.card.holder == "Ada Field"
    assert found.consumer.discovery_timeout_ms == 10000
    assert found.consumer.auto_consume.maximum_minor == 500
    assert "T_S_secret" not in repr(found)


@pytest.mark.req("WX-068")
def test_a_profile_may_leave_out_either_side(tmp_path):
    found = profile(written(tmp_path, {"device": {"name": "x", "producer": None}}))
    assert found.producer is None
    assert found.consumer is None


@pytest.mark.req("WX-068")
@pytest.mark.parametrize("value", [[], {"device": 1}, {"device": {"name": 1}},
                                   {"device": {"producer": {"services": [1]}}},
                                   {"device": {"consumer": {"hceCard": {"expMonth": True}}}}]
)  # fmt: skip
def test_a_broken_profile_is_told_with_its_place(tmp_path, value):
    with pytest.raises(BadArgument, match=r"file\.json.*expected"):
        profile(written(tmp_path, value))


def test_a_card_that_is_none_is_told():
    with pytest.raises(BadArgument, match="a card expected"):
        card_from({})
