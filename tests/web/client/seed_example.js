       // creating item list
       var itemList = new Array();
       itemList[0] = {  productID: 'DCD2346233', 
                       description: 'Best of Ladytron 00-10 by Ladytron (Audio CD - 2011)', 
                       currency: 'EUR',
                       itemPrice: 14.99,
                       itemCount: 1
                     };
       itemList[1] = {  productID: 'DCD1358954167', 
                       description: 'Breakfast at Tiffanys DVD', 
                       currency: 'EUR',
                       itemPrice: 5.97,
                       itemCount: 1
                     };
       itemList[2] = {  description: 'Postage and Packaging', 
                       currency: 'EUR',
                       itemPrice: 5.0,
                       itemCount: 1
                     };
    
       var bill = {  description: 'Bill 123456', 
                       currency: 'EUR',
                       itemPrice: 25.96 
                     };
       // paymentService is the messaging service, discovered through the webinos Discovery API, 
       // that has been selected by the user    
        paymentService.pay(paymentSuccess, paymentFailure, paymentChallenge,
                             itemList, bill,  "mymail@provider.com", "ShopName12345" );
        
        // Define the checkoutSuccess success callback.
        function paymentSuccess() {
                alert("Payment handled successfully - payment was performed.");
        }        

        // Define the paymentFailure failure callback.
        function paymentFailure(e) {   
                alert("Failure occured during payment.");
        }

        // Define the paymentChallenge callback.
        function paymentChallenge(cType, cValue) {   
                 
         if(cType=="url"){
           // direct web page of payment provider
           window.open(cValue, "Confirm Payment", "width=300,height=200,scrollbars=yes");
         }
         else if(cType=="text"){
             userInput = prompt(cValue, "");
             answerChallenge(userInput);
         }
         else if(cType=="image"){
             // this would need a custom prompt, which would make this example
             // too large - just pretent it's here.
             userInput = graphicPrompt(cValue, "");
             answerChallenge(userInput);
         }
         else alert("Unknown challenge type "+cType+" issued by payment provider.");
        }
