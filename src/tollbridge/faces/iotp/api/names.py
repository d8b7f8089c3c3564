"""How the Payment API's attributes and elements are called here, what they hold, how long they are.

The one table of names: types, codec and checks follow from it (RFC 3867, 3.1 and 3.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from tollbridge.faces.iotp.api.words import (
    Action,
    AlgorithmType,
    CompletionCode,
    ContStatus,
    ErrorCode,
    PayDirection,
    ProcessState,
    ProcessType,
    Severity,
    Transform,
)


class Kind(Enum):
    """What an attribute holds."""

    TEXT = auto()
    TOKEN = auto()
    TOKENS = auto()
    AMOUNT = auto()
    MOMENT = auto()
    PERCENT = auto()
    SECRET = auto()
    CHOICE = auto()
    CODE = auto()
    ID = auto()


@dataclass(frozen=True, slots=True)
class Named:
    """An attribute: its Python name, what it holds, and how many letters it may have.

    `letters_max` is the maximum the standard recommends (3.2), 0 where it says none. `choice` is
    the enumeration of a CHOICE, and of a CODE that bilateral `x-…` values may extend.
    """

    python: str
    kind: Kind
    letters_max: int = 0
    choice: type[StrEnum] | None = None


_TEXT, _TOKEN, _TOKENS, _CHOICE = Kind.TEXT, Kind.TOKEN, Kind.TOKENS, Kind.CHOICE

ATTRIBUTES: Mapping[str, Named] = {
    "Action": Named("action", _CHOICE, choice=Action),
    "Amount": Named("amount", Kind.AMOUNT, 11),
    "AttName": Named("att_name", _TOKEN),
    "AuthNames": Named("auth_names", _TOKENS),
    "AuthenticationId": Named("authentication_id", _TEXT),
    "BlkRef": Named("blk_ref", _TOKEN),
    "BrandId": Named("brand_id", _TEXT, 128),
    "BrandLogoNetLocn": Named("brand_logo_net_locn", _TEXT),
    "BrandName": Named("brand_name", _TEXT),
    "BrandNarrative": Named("brand_narrative", _TEXT),
    "CallBackFunction": Named("call_back_function", _TEXT),
    "CallBackLanguageList": Named("call_back_language_list", _TOKENS),
    "CancelNetLocn": Named("cancel_net_locn", _TEXT),
    "CompRef": Named("comp_ref", _TOKEN),
    "CompletionCode": Named("completion_code", Kind.CODE, 14, CompletionCode),
    "ConsumerDesc": Named("consumer_desc", _TEXT),
    "ConsumerPayId": Named("consumer_pay_id", _TEXT, 14),
    "ContStatus": Named("cont_status", _CHOICE, choice=ContStatus),
    "Content": Named("content", _TEXT),
    "ContentSoftwareID": Named("content_software_id", _TEXT),
    "CurrCode": Named("curr_code", _TEXT, 14),
    "CurrCodeType": Named("curr_code_type", _TOKEN, 14),
    "ElementRef": Named("element_ref", _TOKEN),
    "ElementType": Named("element_type", _TOKEN),
    "ErrorCode": Named("error_code", _CHOICE, 14, ErrorCode),
    "ErrorDesc": Named("error_desc", _TEXT),
    "ErrorLogNetLocn": Named("error_log_net_locn", _TEXT),
    "ErrorNetLocn": Named("error_net_locn", _TEXT),
    "ID": Named("id", Kind.ID),
    "Id": Named("id", _TEXT),
    "IotpMsgRef": Named("iotp_msg_ref", _TOKEN),
    "LegalName": Named("legal_name", _TEXT),
    "LogoNetLocn": Named("logo_net_locn", _TEXT),
    "MerchantOrgId": Named("merchant_org_id", _TEXT, 64),
    "MerchantPayId": Named("merchant_pay_id", _TEXT, 14),
    "MinRetrySecs": Named("min_retry_secs", _TEXT),
    "Name": Named("name", _TOKEN),
    "OkFrom": Named("ok_from", Kind.MOMENT, 30),
    "OkTo": Named("ok_to", Kind.MOMENT, 30),
    "OrgId": Named("org_id", _TEXT),
    "Passphrase": Named("passphrase", Kind.SECRET, 32),
    "PayDirection": Named("pay_direction", _CHOICE, choice=PayDirection),
    "PayId": Named("pay_id", _TEXT, 14),
    "PayInstName": Named("pay_inst_name", _TEXT),
    "PayReceiptNameRefs": Named("pay_receipt_name_refs", _TOKENS, 32),
    "PayReqNetLocn": Named("pay_req_net_locn", _TEXT),
    "PaymentHandlerDesc": Named("payment_handler_desc", _TEXT),
    "PaymentHandlerPayId": Named("payment_handler_pay_id", _TEXT, 14),
    "PaymentInstrumentId": Named("payment_instrument_id", _TEXT, 32),
    "PercentComplete": Named("percent_complete", Kind.PERCENT, 3),
    "ProcessState": Named("process_state", _CHOICE, choice=ProcessState),
    "ProcessType": Named("process_type", _CHOICE, choice=ProcessType),
    "PropertyDesc": Named("property_desc", _TEXT),
    "PropertyType": Named("property_type", _TOKEN, 14),
    "PropertyTypeList": Named("property_type_list", _TOKENS, 14),
    "PropertyValue": Named("property_value", _TEXT),
    "ProtocolBrandId": Named("protocol_brand_id", _TEXT, 64),
    "ProtocolId": Named("protocol_id", _TEXT, 64),
    "ProtocolName": Named("protocol_name", _TEXT),
    "ProtocolTransId": Named("protocol_trans_id", _TEXT),
    "ReceiverOrgId": Named("receiver_org_id", _TEXT),
    "SecPayReqNetLocn": Named("sec_pay_req_net_locn", _TEXT),
    "Severity": Named("severity", _CHOICE, choice=Severity),
    "ShortDesc": Named("short_desc", _TEXT),
    "StatusDesc": Named("status_desc", _TEXT, 256),
    "StyleSheetNetLocn": Named("style_sheet_net_locn", _TEXT),
    "SwVendorErrorRef": Named("sw_vendor_error_ref", _TEXT),
    "TimeStamp": Named("time_stamp", Kind.MOMENT, 30),
    "Transform": Named("transform", _CHOICE, choice=Transform),
    "UnavailablePropertyList": Named("unavailable_property_list", _TOKENS, 14),
    "WalletID": Named("wallet_id", _TEXT, 32),
    "type": Named("type", _TEXT),
    "type?": Named("type", _CHOICE, choice=AlgorithmType),
    "name": Named("name", _TOKEN),
    "xml:lang": Named("lang", _TOKEN),
}

PLAIN_NAMES: Mapping[str, str] = {"WalletId": "WalletID", "ContentSoftwareId": "ContentSoftwareID"}
"""Other spellings of attributes that are read as the one in the table (D-03)."""

CHILDREN: Mapping[str, tuple[str, str]] = {
    "Algorithm": ("algorithm", "algorithms"),
    "AuthReqPackagedContent": ("auth_req_packaged_content",) * 2,
    "AuthResPackagedContent": ("auth_res_packaged_content",) * 2,
    "Brand": ("brand", "brands"),
    "BrandItem": ("brand_item", "brand_items"),
    "BrandPackagedContent": ("brand_packaged_content",) * 2,
    "BrandSelBrandInfoPackagedContent": ("brand_sel_brand_info_packaged_content",) * 2,
    "BrandSelCurrencyAmountInfoPackagedContent": (
        "brand_sel_currency_amount_info_packaged_content",
    )
    * 2,
    "BrandSelProtocolAmountInfoPackagedContent": (
        "brand_sel_protocol_amount_info_packaged_content",
    )
    * 2,
    "CurrencyAmount": ("currency_amount", "currency_amounts"),
    "ErrorLocation": ("error_location", "error_locations"),
    "MerchantData": ("merchant_data",) * 2,
    "OrderPackagedContent": ("order_packaged_content",) * 2,
    "PackagedContent": ("packaged_content",) * 2,
    "Parameter": ("parameter", "parameters"),
    "PayInstrument": ("pay_instrument", "pay_instruments"),
    "PayProtocolPackagedContent": ("pay_protocol_packaged_content",) * 2,
    "PaySchemePackagedContent": ("pay_scheme_packaged_content",) * 2,
    "PaymentHandlerOrg": ("payment_handler_org", "payment_handler_orgs"),
    "PaymentId": ("payment_id", "payment_ids"),
    "PaymentInstrumentProperty": (
        "payment_instrument_property",
        "payment_instrument_properties",
    ),
    "PaymentProperty": ("payment_property", "payment_properties"),
    "ProtocolAmountPackagedContent": ("protocol_amount_packaged_content",) * 2,
    "ProtocolBrand": ("protocol_brand", "protocol_brands"),
    "ProtocolBrandPackagedContent": ("protocol_brand_packaged_content",) * 2,
    "ProtocolItem": ("protocol_item", "protocol_items"),
    "TradingRoleDataPackagedContent": ("trading_role_data_packaged_content",) * 2,
}
"""Child elements: what a field with one, and a field with any number of them is called."""

PACKAGED = frozenset(
    {tag for tag in CHILDREN if tag.endswith("PackagedContent")} | {"MerchantData"}
)
"""The elements declared as PackagedContent is; only the name tells where their content goes."""
